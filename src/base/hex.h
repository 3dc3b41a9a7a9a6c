// Bytes and numbers in hexadecimal digits, as messages, names of content and dumps show them: lower case.
// Tests: tests/base/hex_test.cpp.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/types.h"

namespace ramet {

inline constexpr std::string_view hex_digits = "0123456789abcdef";

/// Two digits a byte, the bytes in their order, with `between` between them.
std::string hex_of(std::span<const u8> bytes, std::string_view between = {});
/// The last `digits` digits of a number.
std::string hex_of(u64 value, unsigned digits);
/// Without leading zeros.
std::string short_hex_of(u64 value);

}  // namespace ramet
