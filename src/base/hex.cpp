#include "base/hex.h"

#include <bit>

namespace ramet {

std::string hex_of(std::span<const u8> bytes, std::string_view between) {
    std::string text;
    for (u8 const byte : bytes) {
        if (!text.empty()) text += between;
        text += hex_digits[byte >> 4];
        text += hex_digits[byte & 15];
    }
    return text;
}

std::string hex_of(u64 value, unsigned digits) {
    std::string text(digits, '0');
    for (unsigned i = 0; i < digits && i < 16; ++i) text[digits - 1 - i] = hex_digits[value >> 4 * i & 15];
    return text;
}

std::string short_hex_of(u64 value) { return hex_of(value, (static_cast<unsigned>(std::bit_width(value | 1)) + 3) / 4); }

}  // namespace ramet
