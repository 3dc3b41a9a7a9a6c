// Every fuzz target on random bytes, for a bounded number of inputs. A longer run: RAMET_FUZZ_INPUTS=100000000 RAMET_FUZZ_SEED=7 fuzz_test.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <string>

#include "base/prng.h"
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

TEST_P(Smoke, FindsNothing) {
    u64 const inputs = setting("RAMET_FUZZ_INPUTS", 2'000'000) / GetParam().cost;
    Prng random = Prng::seeded(setting("RAMET_FUZZ_SEED", 1));
    std::array<u8, 64> bytes;
    for (u64 i = 0; i < inputs; ++i) {
        std::size_t const size = make_input(random, bytes);
        GetParam().run({bytes.data(), size});
    }
}

INSTANTIATE_TEST_SUITE_P(All, Smoke, testing::ValuesIn(targets), [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace ramet::fuzz
