#include "cow/codec.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace ramet {
namespace {

RC_GTEST_PROP(Codec, GivesBackWhatWasCompressed, (std::vector<u8> bytes, u16 zeros)) {
    bytes.resize(bytes.size() + zeros);
    std::vector<u8> const stored = compress(bytes);
    RC_ASSERT(stored.size() <= bytes.size());
    std::vector<u8> to(bytes.size());
    RC_ASSERT(decompress(stored, to));
    RC_ASSERT(to == bytes);
}

RC_GTEST_PROP(Codec, RefusesOtherLengthsAndSurvivesNoise, (std::vector<u8> stored, u16 size)) {
    std::vector<u8> to(size);
    bool const taken = decompress(stored, to);
    RC_ASSERT(!taken || stored.size() <= size);
    std::vector<u8> const packed = compress(std::vector<u8>(1000));
    std::vector<u8> longer(1001), shorter(999);
    RC_ASSERT(!decompress(packed, longer));
    RC_ASSERT(!decompress(packed, shorter));
}

}  // namespace
}  // namespace ramet
