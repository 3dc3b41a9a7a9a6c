#include "replay/symbols.h"

#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "base/hex.h"
#include "machine/boot/elf.h"
#include "machine/configuration.h"
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

template <class Add>
void add_symbols(const ElfTables& elf, u64 section, const Add& add) {
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
        if (!name.empty()) add(address, std::move(name));
    }
}

}  // namespace

Expected<Symbols> Symbols::parse(std::span<const u8> bytes, const std::string& path) {
    ElfImage const image = TRY(parse_elf(bytes, path));
    ElfTables const elf{bytes, image.is64};
    Symbols made;
    for (const ElfSegment& segment : image.segments) made.segments_.push_back({segment.physical, segment.virtual_address, segment.memory_size});
    for (u64 i = 0; i < elf.section_count(); ++i)
        if (elf.number(elf.section(i) + 4, 4) == section_symbols) add_symbols(elf, elf.section(i), [&made](u64 address, std::string name) { made.add(address, std::move(name)); });
    if (made.by_address_.empty()) return Error{path + ": has no symbols"};
    return made;
}

Expected<Symbols> Symbols::parse_map(std::string_view text, const std::string& path) {
    Symbols made;
    for (std::size_t at = 0, line = 1; at < text.size(); ++line) {
        std::size_t const end = std::min(text.find('\n', at), text.size());
        std::string_view const words = text.substr(at, end - at);
        at = end + 1;
        if (words.empty()) continue;
        u64 address = 0;
        auto const [rest, error] = std::from_chars(words.data(), words.data() + words.size(), address, 16);
        std::string_view const tail = words.substr(static_cast<std::size_t>(rest - words.data()));
        bool const shaped = error == std::errc{} && tail.size() > 3 && tail[0] == ' ' && tail[2] == ' ';
        if (!shaped) return Error{path + ":" + std::to_string(line) + ": expected an address, a type and a name, as \"ffffffff81000000 T _text\""};
        std::string_view const name = tail.substr(3, tail.find_first_of(" \t\r", 3) - 3);  // a module's name may follow
        if (address != 0 && name.size() <= name_bytes_max) made.add(address, std::string{name});
    }
    if (made.by_address_.empty()) return Error{path + ": has no symbols, or all of them at address 0 (kallsyms needs root to be read)"};
    return made;
}

Expected<Symbols> Symbols::read(const std::string& path) {
    std::vector<u8> const bytes = TRY(read_file(path, "symbols"));
    if (bytes.size() >= 4 && bytes[0] == 0x7f && bytes[1] == 'E') return parse(bytes, path);
    return parse_map(std::string{bytes.begin(), bytes.end()}, path);
}

void Symbols::add(u64 address, std::string name) {
    auto const [known, added] = by_name_.emplace(name, address);
    if (!added) known->second = std::min(known->second, address);
    by_address_.emplace(address, std::move(name));
}

std::optional<GuestVirt> Symbols::address(const std::string& name) const {
    auto const found = by_name_.find(name);
    if (found == by_name_.end()) return std::nullopt;
    return GuestVirt{found->second};
}

std::string Symbols::name(u64 address) const {
    auto const above = by_address_.upper_bound(address);
    if (above == by_address_.begin()) return {};
    auto const& [start, text] = *std::prev(above);
    if (address - start > symbol_reach) return {};
    return address == start ? text : text + "+" + short_hex_of(address - start);
}

std::string Symbols::physical_name(GuestPhys address) const {
    for (const Segment& segment : segments_)
        if (address.value - segment.physical < segment.bytes) return name(segment.address + (address.value - segment.physical));
    return {};
}

}  // namespace ramet
