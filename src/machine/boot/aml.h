// A small encoder for ACPI machine language (ACPI 6.5, chapter 20): what a DSDT of a plain PC needs, and no more. Terms are byte
// vectors that nest by concatenation.
// Tests: tests/machine/acpi_test.cpp (structure), and iasl's disassembler by hand.
#pragma once

#include <initializer_list>
#include <string_view>
#include <vector>

#include "base/types.h"

namespace ramet::aml {

using Bytes = std::vector<u8>;

Bytes concat(std::initializer_list<Bytes> parts);
/// One segment of four characters, at the root or not: "\\_SB_", "PCI0".
Bytes name_string(std::string_view path);
Bytes integer(u64 value);
/// EISAID("PNP0A03").
Bytes eisa_id(std::string_view id);
Bytes name(std::string_view path, const Bytes& value);
Bytes package(std::initializer_list<Bytes> items);
Bytes buffer(const Bytes& content);
Bytes scope(std::string_view path, std::initializer_list<Bytes> terms);
Bytes device(std::string_view path, std::initializer_list<Bytes> terms);

// Resource descriptors (6.4), to be joined with resources().
Bytes io(u16 first, u8 length);
Bytes irq(unsigned line);
Bytes bus_range(u16 first, u16 last);
Bytes io_range(u16 first, u16 last);
Bytes memory_range(u32 first, u32 last);
/// A resource template: the descriptors, the end tag, in a buffer.
Bytes resources(std::initializer_list<Bytes> descriptors);

}  // namespace ramet::aml
