#include "replay/symbols.h"

#include <algorithm>

#include "base/bytes.h"
#include "machine/boot/elf.h"
#include "replay/file.h"

namespace ramet {

namespace {

constexpr u64 symbol_reach = 1 << 20;  // further away than any function or table is long
constexpr u32 section_symbols = 2;
constexpr u64 name_bytes_max = 256;

/// Where the two ELF classes keep what we read.
struct Layout {
    unsigned word;                                          // bytes of an address
    u64 section_table, section_size, section_count;         // in the file header
    u64 offset, size, link, entry_size;                     // in a section header
    u64 symbol_bytes, symbol_value;                         // of a symbol
};
constexpr Layout layout32{4, 0x20, 0x2e, 0x30, 0x10, 0x14, 0x18, 0x24, 16, 4};
constexpr Layout layout64{8, 0x28, 0x3a, 0x3c, 0x18, 0x20, 0x28, 0x38, 24, 8};

class ElfTables {
public:
    ElfTables(std::span<const u8> elf, bool is64) : elf_(elf), layout_(is64 ? layout64 : layout32) {}

    u64 number(u64 at, unsigned bytes) const {
        if (at > elf_.size() || bytes > elf_.size() - at) return 0;
        u64 value = 0;
        for (unsigned i = 0; i < bytes; ++i) value |= u64{elf_[at + i]} << (8 * i);
        return value;
    }
    u64 word(u64 at) const { return number(at, layout_.word); }
    const Layout& layout() const { return layout_; }
    u64 section_count() const { return number(layout_.section_count, 2); }
    u64 section(u64 index) const { return word(layout_.section_table) + index * number(layout_.section_size, 2); }

    std::string text(u64 at, u64 end) const {
        std::string made;
        for (; at < std::min<u64>(end, elf_.size()) && elf_[at] != 0 && made.size() < name_bytes_max; ++at) made += static_cast<char>(elf_[at]);
        return made;
    }
    u64 size() const { return elf_.size(); }

private:
    std::span<const u8> elf_;
    Layout layout_;
};

void add_symbols(const ElfTables& elf, u64 section, std::map<u64, std::string>& to) {
    const Layout& l = elf.layout();
    u64 const names = elf.section(elf.number(section + l.link, 4));
    u64 const names_at = elf.word(names + l.offset), names_end = names_at + std::min(elf.word(names + l.size), elf.size());
    u64 const first = elf.word(section + l.offset);
    u64 const count = std::min(elf.word(section + l.size), elf.size()) / l.symbol_bytes;
    for (u64 i = 0; i < count; ++i) {
        u64 const at = first + i * l.symbol_bytes;
        u64 const address = elf.word(at + l.symbol_value);
        u64 const name_at = elf.number(at, 4);
        if (address == 0 || name_at == 0) continue;
        std::string name = elf.text(names_at + name_at, names_end);
        if (!name.empty()) to.emplace(address, std::move(name));
    }
}

}  // namespace

Expected<Symbols> Symbols::parse(std::span<const u8> bytes, const std::string& path) {
    ElfImage const image = TRY(parse_elf(bytes, path));
    ElfTables const elf{bytes, image.is64};
    Symbols made;
    for (const ElfSegment& segment : image.segments) made.segments_.push_back({segment.physical, segment.virtual_address, segment.memory_size});
    for (u64 i = 0; i < elf.section_count(); ++i)
        if (elf.number(elf.section(i) + 4, 4) == section_symbols) add_symbols(elf, elf.section(i), made.by_address_);
    if (made.by_address_.empty()) return Error{path + ": has no symbols"};
    return made;
}

std::string Symbols::name(u64 address) const {
    auto const above = by_address_.upper_bound(address);
    if (above == by_address_.begin()) return {};
    auto const& [start, text] = *std::prev(above);
    if (address - start > symbol_reach) return {};
    static constexpr char digits[] = "0123456789abcdef";
    std::string offset;
    for (u64 rest = address - start; rest != 0; rest >>= 4) offset.insert(offset.begin(), digits[rest & 15]);
    return offset.empty() ? text : text + "+" + offset;
}

std::string Symbols::physical_name(GuestPhys address) const {
    for (const Segment& segment : segments_)
        if (address.value - segment.physical < segment.bytes) return name(segment.address + (address.value - segment.physical));
    return {};
}

}  // namespace ramet
