// Little-endian integers at any address, on any host. What leaves a machine (digests, logs, snapshots, wire frames) is little-endian
// because the guest is. The loops compile to one load or store on x86.
// Tests: tests/base/bytes_test.cpp.
#pragma once

#include <concepts>
#include <type_traits>

#include "base/types.h"

namespace ramet {

template <std::integral T>
constexpr T load_le(const u8* at) {
    using U = std::make_unsigned_t<T>;
    U value = 0;
    for (unsigned i = 0; i < sizeof(T); ++i) value = static_cast<U>(value | static_cast<U>(static_cast<U>(at[i]) << (8 * i)));
    return static_cast<T>(value);
}

template <std::integral T>
constexpr void store_le(u8* at, T value) {
    auto const bits = static_cast<std::make_unsigned_t<T>>(value);
    for (unsigned i = 0; i < sizeof(T); ++i) at[i] = static_cast<u8>(bits >> (8 * i));
}

}  // namespace ramet
