#include "vector_file.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "lz4_file.h"

namespace ramet::vectors {

namespace {

constexpr std::array<u8, 8> magic = {'X', '8', '6', 'V', 'E', 'C', '1', '\n'};
constexpr u32 version_known = 1;

/// Reads little-endian fields; after the first short read everything reads as zero and good() is false.
class Cursor {
public:
    explicit Cursor(std::span<const u8> bytes) : rest_(bytes), size_(bytes.size()) {}

    bool good() const { return good_; }
    std::size_t offset() const { return size_ - rest_.size(); }
    bool at_end() const { return rest_.empty(); }

    std::span<const u8> bytes(u64 count) {
        if (count > rest_.size()) {
            good_ = false;
            rest_ = {};
            return {};
        }
        auto const result = rest_.first(count);
        rest_ = rest_.subspan(count);
        return result;
    }
    template <class T>
    T number() {
        u64 value = 0;
        unsigned shift = 0;
        for (u8 const byte : bytes(sizeof(T))) {
            value |= u64{byte} << shift;
            shift += 8;
        }
        return static_cast<T>(value);
    }
    u64 leb() {
        u64 value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            u8 const byte = number<u8>();
            value |= u64{byte & 0x7fu} << shift;
            if (!(byte & 0x80)) {
                return value;
            }
        }
        good_ = false;
        return 0;
    }

private:
    std::span<const u8> rest_;
    std::size_t size_;
    bool good_ = true;
};

std::vector<RegisterItem> register_items(Cursor& in) {
    std::vector<RegisterItem> items(in.number<u8>());
    for (auto& item : items) {
        item.id = in.number<u8>();
        u8 const count = in.number<u8>();
        item.partial = count & 0x80;
        item.bytes = in.bytes(count & 0x7f);
    }
    return items;
}

std::vector<MemoryItem> memory_items(Cursor& in) {
    std::vector<MemoryItem> items;
    u64 const count = in.leb();
    for (u64 i = 0; i < count && in.good(); ++i) {
        u64 const address = in.leb();
        items.push_back({address, in.bytes(in.leb())});
    }
    return items;
}

bool items_fit(std::span<const RegisterItem> items) {
    ox_state state = {};
    return std::ranges::all_of(items, [&](const RegisterItem& item) {
        return item.bytes.size() <= register_bytes(state, item.id).size();
    });
}

/// One vector; false when its bytes do not add up. `previous`: ordinal of the vector before it.
bool read_vector(std::span<const u8> bytes, u64 previous, Vector& v) {
    Cursor in(bytes);
    v.ordinal = previous + in.leb();
    v.flags = in.number<u8>();
    v.instruction = in.bytes(in.number<u8>());
    v.registers_before = register_items(in);
    v.memory_before = memory_items(in);
    v.registers_after = register_items(in);
    v.memory_after = memory_items(in);
    if (v.flags & has_undefined_flags) {
        v.undefined_flags = in.number<u16>();
    }
    if (v.flags & has_undefined_fsw) {
        v.undefined_fsw = in.number<u16>();
    }
    if (v.flags & has_ignored_memory) {
        v.ignored_memory.resize(in.number<u8>());
        for (auto& range : v.ignored_memory) {
            range.address = in.leb();
            range.size = in.leb();
        }
    }
    if (v.flags & raises_exception) {
        v.exception = in.number<u8>();
        v.error_code = static_cast<u32>(in.leb());
        if (v.exception == 14) {
            v.cr2 = in.leb();
        }
    }
    return in.good() && items_fit(v.registers_before) && items_fit(v.registers_after);
}

bool read_header(Cursor& in, Header& h) {
    u32 const mode = in.number<u32>();
    if (mode > 3) {
        return false;
    }
    h.mode = static_cast<Mode>(mode);
    h.flags = in.number<u32>();
    h.count = in.number<u32>();
    h.memory_seed = in.number<u64>();
    h.register_seed = in.number<u64>();
    h.entry = in.number<u64>();
    h.regions.resize(in.number<u8>());
    for (auto& region : h.regions) {
        region.base = in.number<u64>();
        region.size = in.number<u32>();
        region.prot = in.number<u32>();
    }
    for (auto& segment : h.segments) {
        segment.sel = in.number<u16>();
        segment.attr = in.number<u16>();
        segment.limit = in.number<u32>();
        segment.base = in.number<u64>();
    }
    for (auto* table : {&h.gdt, &h.ldt}) {
        table->resize(in.number<u8>());
        for (auto& entry : *table) {
            entry = in.number<u64>();
        }
    }
    auto const name = in.bytes(in.number<u8>());
    h.group.assign(name.begin(), name.end());
    return in.good();
}

/// Sixteen megabytes in whole pages are far beyond any real file, and small enough to allocate.
bool regions_are_sane(const Header& h) {
    u64 total = 0;
    for (auto const& region : h.regions) {
        if (region.base % page_size != 0 || region.size % page_size != 0 || region.size == 0) {
            return false;
        }
        total += region.size;
    }
    return total <= u64{16} << 20;
}

void append_leb(std::vector<u8>& out, u64 value) {
    while (value >= 0x80) {
        out.push_back(static_cast<u8>(value | 0x80));
        value >>= 7;
    }
    out.push_back(static_cast<u8>(value));
}

}  // namespace

Expected<VectorFile> VectorFile::load(const std::string& path) {
    auto unpacked = TRY(read_lz4_file(path, unpacked_size_max));
    auto file = from_bytes(std::move(unpacked));
    if (!file) {
        return Error{path + ": " + file.error().text};
    }
    return file;
}

Expected<VectorFile> VectorFile::from_bytes(std::vector<u8> unpacked) {
    VectorFile file;
    file.bytes_ = std::move(unpacked);
    Cursor in(file.bytes_);
    if (!std::ranges::equal(in.bytes(magic.size()), magic)) {
        return Error{"no vector file: it does not start with \"X86VEC1\""};
    }
    Cursor header(in.bytes(in.number<u32>()));
    u32 const version = header.number<u32>();
    if (version != version_known) {
        return Error{"version " + std::to_string(version) + " is not known, only 1"};
    }
    if (!read_header(header, file.header_) || !in.good()) {
        return Error{"damaged header"};
    }
    if (!regions_are_sane(file.header_)) {
        return Error{"memory regions are not whole pages or add up to more than 16 MiB"};
    }
    file.header_end_ = static_cast<u32>(in.offset());

    u64 ordinal = 0;
    for (u32 i = 0; i < file.header_.count; ++i) {
        u16 const size = in.number<u16>();
        Place place = {0, static_cast<u32>(in.offset()), size};
        Vector vector;
        if (!read_vector(in.bytes(size), ordinal, vector) || !in.good()) {
            return Error{"damaged vector number " + std::to_string(i) + " at byte " + std::to_string(place.offset)};
        }
        place.ordinal = ordinal = vector.ordinal;
        file.places_.push_back(place);
    }
    return file;
}

Vector VectorFile::parse(u32 index) const {
    Place const& place = places_.at(index);
    Vector vector;
    bool const good = read_vector(std::span(bytes_).subspan(place.offset, place.size), 0, vector);
    CHECK(good, "load() has read this vector before");
    vector.ordinal = place.ordinal;
    return vector;
}

ox_config VectorFile::config() const {
    ox_config config = {};
    config.mode = static_cast<u32>(header_.mode);
    config.flags = header_.flags;
    config.nregions = static_cast<u32>(header_.regions.size());
    config.regions = header_.regions.data();
    std::ranges::copy(header_.segments, config.seg);
    config.ngdt = static_cast<u32>(header_.gdt.size());
    config.nldt = static_cast<u32>(header_.ldt.size());
    config.gdt = header_.gdt.data();
    config.ldt = header_.ldt.data();
    return config;
}

std::vector<u8> VectorFile::subset(std::span<const u32> indexes) const {
    std::vector<u8> out(bytes_.begin(), bytes_.begin() + header_end_);
    u32 const count = static_cast<u32>(indexes.size());
    constexpr std::size_t count_offset = 8 + 4 + 12;  // magic, header length; version, mode, flags
    std::memcpy(out.data() + count_offset, &count, sizeof count);
    u64 previous = 0;
    for (u32 const index : indexes) {
        Place const& place = places_.at(index);
        auto const old = std::span(bytes_).subspan(place.offset, place.size);
        Cursor skip(old);
        static_cast<void>(skip.leb());  // the ordinal is relative to the vector before: write it anew
        std::vector<u8> body;
        append_leb(body, place.ordinal - previous);
        auto const rest = old.subspan(skip.offset());
        body.insert(body.end(), rest.begin(), rest.end());
        out.push_back(static_cast<u8>(body.size()));
        out.push_back(static_cast<u8>(body.size() >> 8));
        out.insert(out.end(), body.begin(), body.end());
        previous = place.ordinal;
    }
    return out;
}

}  // namespace ramet::vectors
