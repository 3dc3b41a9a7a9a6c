// Bytes of firmware tables: little-endian fields, texts, and checksums that make the bytes add up to zero.
// Tests: tests/machine/acpi_test.cpp, mp_table_test.cpp.
#pragma once

#include <numeric>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace ramet::table {

using Bytes = std::vector<u8>;

template <class T>
void put(Bytes& table, std::size_t at, T value) {
    store_le(&table[at], value);
}

inline void put_text(Bytes& table, std::size_t at, std::string_view text) {
    for (char c : text) table[at++] = static_cast<u8>(c);
}

/// Makes the bytes of [0, end) add up to zero by the one at `place`.
inline void set_checksum(Bytes& table, std::size_t place, std::size_t end) {
    table[place] = 0;
    auto const sum = std::accumulate(table.begin(), table.begin() + static_cast<std::ptrdiff_t>(end), 0U);
    table[place] = static_cast<u8>(0U - sum);
}

}  // namespace ramet::table
