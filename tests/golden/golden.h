// Texts that change only in a reviewed diff. RAMET_GOLDEN_WRITE=1 writes the files anew.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace ramet {

inline void expect_golden(const std::string& path, const std::string& actual) {
    if (std::getenv("RAMET_GOLDEN_WRITE")) std::ofstream{path} << actual;
    std::ifstream file{path};
    std::stringstream expected;
    expected << file.rdbuf();
    EXPECT_EQ(actual, expected.str()) << "if the change is meant, RAMET_GOLDEN_WRITE=1 writes " << path;
}

}  // namespace ramet
