#include "base/sha256.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ramet {
namespace {

/// FIPS 180-4, examples.
TEST(Sha256, OfTheStandardsExamples) {
    std::string const text = "abc";
    EXPECT_EQ(sha256_of({}).hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(sha256_of(std::vector<u8>(text.begin(), text.end())).hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace ramet
