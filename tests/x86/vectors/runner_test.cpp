// The runner must see every kind of error: processors that are wrong on purpose, around our own one. And all vectors of the repository.
#include <gtest/gtest.h>

#include <cstring>

#include "report.h"

namespace ramet::vectors {
namespace {

const std::string data = RAMET_VECTOR_DATA;

VectorFile load(const std::string& name) {
    auto file = VectorFile::load(data + "/" + name + ".vec.lz4");
    EXPECT_TRUE(file) << file.error().text;
    return *std::move(file);
}

/// Our processor with another step.
ox_api with_step(int (*step)(void*, ox_state*, ox_exc*)) {
    ox_api api = *ox_get_api();
    api.step = step;
    return api;
}
int good_step(void* p, ox_state* s, ox_exc* e) { return ox_get_api()->step(p, s, e); }

struct WrongProcessor {
    const char* name;
    int (*step)(void*, ox_state*, ox_exc*);
};
const WrongProcessor wrong_processors[] = {
    {"register", [](void* p, ox_state* s, ox_exc* e) { int const r = good_step(p, s, e); s->gpr[7] ^= 0x80000000; return r; }},
    {"rip", [](void* p, ox_state* s, ox_exc* e) { int const r = good_step(p, s, e); ++s->rip; return r; }},
    {"carry", [](void* p, ox_state* s, ox_exc* e) { int const r = good_step(p, s, e); s->rflags ^= 1; return r; }},
    {"stack", [](void* p, ox_state* s, ox_exc* e) { int const r = good_step(p, s, e); s->st[3][2] ^= 1; return r; }},
    {"vector", [](void* p, ox_state* s, ox_exc* e) { int const r = good_step(p, s, e); s->xmm[5][15] ^= 1; return r; }},
    {"exception", [](void* p, ox_state* s, ox_exc* e) { int const r = good_step(p, s, e); e->raised = !e->raised; return r; }},
    {"memory", [](void* p, ox_state* s, ox_exc* e) {
         int const r = good_step(p, s, e);
         uint8_t byte = 0;
         ox_get_api()->read(p, 0x300777, &byte, 1);
         byte ^= 1;
         ox_get_api()->write(p, 0x300777, &byte, 1);
         return r;
     }},
    {"surrender", [](void*, ox_state*, ox_exc*) { return 1; }},
};

TEST(Runner, SeesEveryKindOfError) {
    auto const file = load("long64_flags");
    for (auto const& wrong : wrong_processors) {
        Outcome const outcome = run_file(file, with_step(wrong.step));
        EXPECT_EQ(outcome.passed, 0u) << wrong.name;
        EXPECT_EQ(outcome.failures.size(), outcome.total) << wrong.name;
    }
}

TEST(Runner, SeesTheFaultAddressAndTheErrorCode) {
    auto const file = load("long64_mov");
    auto const address = with_step([](void* p, ox_state* s, ox_exc* e) { int const r = good_step(p, s, e); e->cr2 ^= 1; return r; });
    auto const code = with_step([](void* p, ox_state* s, ox_exc* e) { int const r = good_step(p, s, e); e->error ^= 1; return r; });
    EXPECT_FALSE(run_file(file, address).failures.empty());
    EXPECT_FALSE(run_file(file, code).failures.empty());
}

TEST(Runner, RunsOneVectorByItsOrdinal) {
    auto const file = load("long64_flags");
    Outcome const outcome = run_file(file, *ox_get_api(), file.ordinal(3));
    EXPECT_EQ(outcome.total, 1u);
    EXPECT_EQ(outcome.passed, 1u);
}

TEST(Runner, CountsADeclinedFileApart) {
    ox_api api = *ox_get_api();
    api.create = [](const ox_config*) -> void* { return nullptr; };
    EXPECT_FALSE(run_file(load("long64_flags"), api).modelled);
}

TEST(Exemptions, AreAtMostTwentyAndHaveReasons) {
    auto const rows = load_exemptions(RAMET_VECTOR_EXEMPTIONS);
    ASSERT_TRUE(rows) << rows.error().text;
    for (auto const& row : *rows) EXPECT_FALSE(row.reason.empty());
}

/// One test for each file of the repository.
class Vectors : public testing::TestWithParam<std::string> {};

TEST_P(Vectors, AreReproduced) {
    Request const request{GetParam(), {}};
    auto const reports = run_requests({request}, *ox_get_api(), 1);
    auto const exemptions = load_exemptions(RAMET_VECTOR_EXEMPTIONS);
    ASSERT_TRUE(exemptions);
    EXPECT_EQ(format_failures(reports, *exemptions, 5), "");
}

std::vector<std::string> all_files() {
    std::vector<std::string> paths;
    auto const found = find_files(data, "");
    if (found) {
        for (auto const& request : *found) paths.push_back(request.path);
    }
    return paths;
}
std::string name_of(const testing::TestParamInfo<std::string>& info) {
    std::string const file = info.param.substr(info.param.rfind('/') + 1);
    return file.substr(0, file.find('.'));
}
INSTANTIATE_TEST_SUITE_P(Repository, Vectors, testing::ValuesIn(all_files()), name_of);

}  // namespace
}  // namespace ramet::vectors
