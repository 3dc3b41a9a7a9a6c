// Symbols: names for addresses, and the way back, from an ELF file's symbol table (System V ABI, chapter 4) or from the text of a System.map or of
// /proc/kallsyms: lines of address, type and name. The file is not trusted: what does not fit is an error, names beyond their table are left out.
// Tests: tests/replay/symbols_test.cpp.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/types.h"

namespace ramet {

class Symbols {
public:
    Symbols() = default;
    static Expected<Symbols> parse(std::span<const u8> elf, const std::string& path);

    static Expected<Symbols> parse_map(std::string_view text, const std::string& path);
    /// A file of either kind.
    static Expected<Symbols> read(const std::string& path);

    /// Of two symbols of one name, the one at the lowest address.
    std::optional<GuestVirt> address(const std::string& name) const;
    /// "do_sys_open+1c" for an address that the guest uses; empty when no symbol is near below.
    std::string name(u64 address) const;
    /// The same for a physical address, by the addresses that the program headers load to.
    std::string physical_name(GuestPhys address) const;
    std::size_t size() const { return by_address_.size(); }

private:
    struct Segment {
        u64 physical = 0;
        u64 address = 0;
        u64 bytes = 0;
    };
    void add(u64 address, std::string name);

    std::map<u64, std::string> by_address_;
    std::map<std::string, u64> by_name_;
    std::vector<Segment> segments_;
};

}  // namespace ramet
