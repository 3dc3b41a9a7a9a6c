// Every fuzz target on random bytes, on seeds and on what mishaps make of them, and on the corpus, for a bounded number of inputs. A longer run:
// RAMET_FUZZ_INPUTS=100000000 RAMET_FUZZ_SEED=7 fuzz_test.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

#include "base/chars.h"
#include "base/prng.h"
#include "machine/configuration.h"
#include "mutate.h"
#include "replay/input_log.h"
#include "replay/snapshot.h"
#include "seeds.h"
#include "targets.h"

namespace ramet::fuzz {
namespace {

u64 setting(const char* name, u64 otherwise) {
    const char* const text = std::getenv(name);
    return text == nullptr ? otherwise : std::stoull(text);
}

/// Random bytes of which many start like instructions with prefixes and escape bytes.
std::size_t make_input(Prng& random, std::array<u8, 64>& bytes) {
    for (auto& byte : bytes) byte = static_cast<u8>(random.next() >> 56);
    constexpr std::array<u8, 12> starts = {0x66, 0xf2, 0xf3, 0xf0, 0x67, 0x2e, 0x64, 0x48, 0x41, 0x0f, 0x0f, 0x0f};
    std::size_t const count = random.below(4);
    for (std::size_t i = 0; i < count; ++i) bytes[1 + i] = starts[random.below(starts.size())];
    if (random.below(4) == 0) bytes[1 + count] = random.below(2) == 0 ? 0x38 : 0x3a;
    return 1 + random.below(bytes.size());
}

class Smoke : public testing::TestWithParam<Target> {};

u64 inputs_of(const Target& target) { return setting("RAMET_FUZZ_INPUTS", 2'000'000) / target.cost; }
Prng random_numbers() { return Prng::seeded(setting("RAMET_FUZZ_SEED", 1)); }

TEST_P(Smoke, RandomBytes) {
    u64 const inputs = inputs_of(GetParam());
    Prng random = random_numbers();
    std::array<u8, 64> bytes;
    for (u64 i = 0; i < inputs; ++i) {
        std::size_t const size = make_input(random, bytes);
        GetParam().run({bytes.data(), size});
    }
}

TEST_P(Smoke, Mishaps) {
    auto const seeds = seeds_of(GetParam().name);
    if (seeds.empty()) return;  // no format
    Prng random = random_numbers();
    for (auto const& seed : seeds) GetParam().run(seed);
    for (u64 i = 0; i < inputs_of(GetParam()); ++i) GetParam().run(mutated(random, seeds[i % seeds.size()]));
}

TEST_P(Smoke, Corpus) {
    std::filesystem::path const folder = std::filesystem::path{RAMET_FUZZ_CORPUS} / GetParam().name;
    ASSERT_TRUE(std::filesystem::is_directory(folder)) << folder;
    for (auto const& file : std::filesystem::directory_iterator{folder}) {
        auto const bytes = read_file(file.path(), "input");
        ASSERT_TRUE(bytes) << bytes.error().text;
        GetParam().run(*bytes);
    }
}

/// A seed that its reader refuses would test only the refusal.
TEST(Seeds, AreInOrder) {
    auto const log = InputLog::read(*File::in_memory(seeds_of("log").front(), "seed"));
    ASSERT_TRUE(log) << log.error().text;
    EXPECT_GE((*log)->entry_count(), 8u);
    auto const snapshot = Snapshot::read(*File::in_memory(seeds_of("snapshot").front(), "seed"));
    ASSERT_TRUE(snapshot) << snapshot.error().text;
    EXPECT_EQ((*snapshot)->state().clock.position, Position{1000});
    auto const text = seeds_of("toml").front();
    auto const configuration = parse_configuration({text.begin(), text.end()}, "seed");
    EXPECT_TRUE(configuration) << configuration.error().text;
}

/// RAMET_FUZZ_SEEDS=FOLDER writes them there, for libFuzzer to begin with.
TEST(Seeds, CanBeWrittenDown) {
    const char* const to = std::getenv("RAMET_FUZZ_SEEDS");
    std::filesystem::path const folder = to == nullptr ? testing::TempDir() + "ramet-seeds-" + std::to_string(::getpid()) : to;
    for (const Target& target : targets) {
        std::filesystem::create_directories(folder / target.name);
        for (std::size_t i = 0; auto const& seed : seeds_of(target.name)) {
            std::string const path = folder / target.name / ("seed-" + std::to_string(i++));
            std::ofstream{path, std::ios::binary}.write(chars(seed.data()), static_cast<std::streamsize>(seed.size()));
            EXPECT_EQ(std::filesystem::file_size(path), seed.size());
        }
    }
    if (to == nullptr) std::filesystem::remove_all(folder);
}

TEST(Canary, AFindingPrintsItsInputAndAborts) {
    std::array<u8, 2> const input = {0x0f, 0xa5};
    EXPECT_DEATH(require(false, "a law", input), "a law; input: 0f a5");
}

INSTANTIATE_TEST_SUITE_P(All, Smoke, testing::ValuesIn(targets), [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace ramet::fuzz
