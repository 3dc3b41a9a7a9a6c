#include "compare.h"

#include <algorithm>
#include <cstring>

namespace ramet::vectors {

namespace {

constexpr u64 resume_flag = u64{1} << 16;

std::string hex(u64 value) {
    constexpr const char* digits = "0123456789abcdef";
    std::string text;
    do {
        text.insert(text.begin(), digits[value & 15]);
        value >>= 4;
    } while (value != 0);
    return text;
}

std::string hex(std::span<const u8> little_endian) {
    constexpr const char* digits = "0123456789abcdef";
    std::string text;
    for (u8 const byte : little_endian) {
        text.insert(0, {digits[byte >> 4], digits[byte & 15]});
    }
    return text;
}

u64 distance(u64 a, u64 b) { return a > b ? a - b : b - a; }

/// Same sign, and at most two units in the last place apart; exponents may differ by one across a power of two.
bool close_extended(std::span<const u8> a, std::span<const u8> b) {
    u64 fraction[2] = {};
    u16 exponent[2] = {};
    std::memcpy(&fraction[0], a.data(), 8);
    std::memcpy(&fraction[1], b.data(), 8);
    std::memcpy(&exponent[0], a.data() + 8, 2);
    std::memcpy(&exponent[1], b.data() + 8, 2);
    if (exponent[0] == exponent[1]) {
        return distance(fraction[0], fraction[1]) <= 2;
    }
    unsigned const low = exponent[0] < exponent[1] ? 0 : 1;
    return exponent[1 - low] - exponent[low] == 1 && fraction[low] >= ~u64{0} - 1 &&
           fraction[1 - low] <= (u64{1} << 63) + 1;
}

/// A relative error of at most 1.5 * 2^-12. Exponents are at most one apart then, so both values fit in units of the smaller one.
bool close_single(u32 actual, u32 recorded) {
    if (actual == recorded) {
        return true;
    }
    constexpr u32 infinite = 255;
    auto const exponent = [](u32 x) { return x >> 23 & 255; };
    u32 const low = std::min(exponent(actual), exponent(recorded));
    u32 const high = std::max(exponent(actual), exponent(recorded));
    if (actual >> 31 != recorded >> 31 || low == 0 || high == infinite || high - low > 1) {
        return false;
    }
    auto const units = [&](u32 x) { return u64{(x & 0x7fffff) | 0x800000} << (exponent(x) - low); };
    return distance(units(actual), units(recorded)) * 8192 <= units(recorded) * 3;
}

bool close_singles(std::span<const u8> recorded, std::span<const u8> actual) {
    for (unsigned lane = 0; lane < 4; ++lane) {
        u32 x = 0;
        u32 y = 0;
        std::memcpy(&x, recorded.data() + 4 * lane, 4);
        std::memcpy(&y, actual.data() + 4 * lane, 4);
        if (!close_single(y, x)) {
            return false;
        }
    }
    return true;
}

/// Bits of a register that are not compared.
u64 ignored_bits(const Vector& vector, unsigned id) {
    switch (id) {
    case id_rflags: return resume_flag | vector.undefined_flags;
    case id_fsw: return vector.undefined_fsw;
    default: return 0;
    }
}

bool equal_register(const Header& header, const Vector& vector, unsigned id, std::span<const u8> a,
                    std::span<const u8> b) {
    if (std::ranges::equal(a, b)) {
        return true;
    }
    if (a.size() <= 8) {
        u64 x = 0;
        u64 y = 0;
        std::memcpy(&x, a.data(), a.size());
        std::memcpy(&y, b.data(), b.size());
        return ((x ^ y) & ~ignored_bits(vector, id)) == 0;
    }
    if (!(vector.flags & result_is_approximate)) {
        return false;
    }
    if (id >= id_st) {
        return close_extended(a, b);
    }
    return header.flags & file_is_approximate && id < id_ymm_high && close_singles(a, b);
}

}  // namespace

std::vector<std::string> compare_registers(const Header& header, const Vector& vector, const ox_state& expected,
                                           const ox_state& actual) {
    ox_state want = expected;
    ox_state have = actual;
    std::vector<std::string> differences;
    for (unsigned id = 0; id < id_count; ++id) {
        bool const high_half = id >= id_ymm_high && id < id_st;
        if (high_half && !(header.flags & file_has_ymm)) {
            continue;
        }
        auto const a = register_bytes(want, id);
        auto const b = register_bytes(have, id);
        if (!equal_register(header, vector, id, a, b)) {
            differences.push_back(std::string(register_name(id)) + " is " + hex(b) + ", recorded " + hex(a));
        }
    }
    return differences;
}

std::vector<std::string> compare_exceptions(const Header& header, const Vector& vector, const ox_exc& actual) {
    bool const expected = vector.flags & raises_exception;
    if (expected != (actual.raised != 0)) {
        if (expected) {
            return {"no exception, recorded vector " + std::to_string(vector.exception) + " error " + hex(vector.error_code)};
        }
        return {"exception " + std::to_string(actual.vector) + " error " + hex(actual.error) + ", recorded none"};
    }
    if (!expected) {
        return {};
    }
    std::vector<std::string> differences;
    if (actual.vector != vector.exception) {
        differences.push_back("exception " + std::to_string(actual.vector) + ", recorded " + std::to_string(vector.exception));
    }
    if (header.mode != Mode::real16 && actual.error != vector.error_code) {
        differences.push_back("error code " + hex(actual.error) + ", recorded " + hex(vector.error_code));
    }
    if (vector.exception == 14 && actual.cr2 != vector.cr2) {
        differences.push_back("cr2 " + hex(actual.cr2) + ", recorded " + hex(vector.cr2));
    }
    return differences;
}

}  // namespace ramet::vectors
