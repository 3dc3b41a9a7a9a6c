// CRC-32C (polynomial 1EDC6F41, reflected 82F63B78) as the CRC32 instruction accumulates it.
#pragma once

#include "x86/ops/flags.h"

namespace ramet::ops {

template <Word T>
constexpr u32 crc32(u32 sum, T data) {
    for (unsigned byte = 0; byte < sizeof(T); ++byte) {
        sum ^= static_cast<u8>(data >> (8 * byte));
        for (int bit = 0; bit < 8; ++bit) sum = sum & 1 ? sum >> 1 ^ 0x82f63b78 : sum >> 1;
    }
    return sum;
}

}  // namespace ramet::ops
