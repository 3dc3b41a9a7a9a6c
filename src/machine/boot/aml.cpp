#include "machine/boot/aml.h"

#include "base/check.h"

namespace ramet::aml {

namespace {

enum Opcode : u8 {
    ZeroOp = 0x00, OneOp = 0x01, NameOp = 0x08, BytePrefix = 0x0a, WordPrefix = 0x0b, DWordPrefix = 0x0c, QWordPrefix = 0x0e, ScopeOp = 0x10,
    BufferOp = 0x11, PackageOp = 0x12, ExtOpPrefix = 0x5b, DeviceOp = 0x82
};

void put(Bytes& to, u64 value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) to.push_back(static_cast<u8>(value >> 8 * i));
}

/// PkgLength counts itself: one byte up to 63, else a nibble and one to three bytes.
Bytes with_length(const Bytes& body) {
    std::size_t length = body.size() + 1;
    Bytes out;
    if (length < 64) {
        out.push_back(static_cast<u8>(length));
    } else {
        unsigned const more = body.size() + 2 < (1 << 12) ? 1 : body.size() + 3 < (1 << 20) ? 2 : 3;
        length = body.size() + 1 + more;
        out.push_back(static_cast<u8>(more << 6 | (length & 15)));
        put(out, length >> 4, more);
    }
    out.insert(out.end(), body.begin(), body.end());
    return out;
}

/// Word and dword address space descriptors (6.4.3.5): type, flags, granularity 0, range, no translation, length.
Bytes address_space(u8 tag, u8 type, u8 type_flags, u64 first, u64 last, unsigned width) {
    constexpr u8 fixed_both_ends = 0x0c;
    Bytes out = {tag};
    put(out, 3 + 5 * width, 2);
    out.insert(out.end(), {type, fixed_both_ends, type_flags});
    put(out, 0, width);
    put(out, first, width);
    put(out, last, width);
    put(out, 0, width);
    put(out, last - first + 1, width);
    return out;
}

}  // namespace

Bytes concat(std::initializer_list<Bytes> parts) {
    Bytes out;
    for (const Bytes& part : parts) out.insert(out.end(), part.begin(), part.end());
    return out;
}

Bytes name_string(std::string_view path) {
    constexpr std::size_t segment = 4;
    CHECK(path.size() == segment + (path.starts_with('\\') ? 1 : 0), "one segment, padded with '_'");
    return {path.begin(), path.end()};
}

Bytes integer(u64 value) {
    if (value <= 1) return {value ? OneOp : ZeroOp};
    auto const [prefix, width] = value <= 0xff         ? std::pair{BytePrefix, 1U}
                                 : value <= 0xffff     ? std::pair{WordPrefix, 2U}
                                 : value <= 0xffffffff ? std::pair{DWordPrefix, 4U}
                                                       : std::pair{QWordPrefix, 8U};
    Bytes out = {prefix};
    put(out, value, width);
    return out;
}

Bytes eisa_id(std::string_view id) {
    CHECK(id.size() == 7, "three letters and four hexadecimal digits");
    auto const letter = [&](std::size_t i) { return static_cast<u32>(id[i] - '@') & 31; };
    auto const digit = [&](std::size_t i) { return static_cast<u32>(id[i] <= '9' ? id[i] - '0' : id[i] - 'A' + 10); };
    u32 const vendor = letter(0) << 10 | letter(1) << 5 | letter(2);
    u32 const product = digit(3) << 12 | digit(4) << 8 | digit(5) << 4 | digit(6);
    Bytes out = {DWordPrefix};  // big-endian halves
    put(out, (vendor >> 8) | (vendor & 0xff) << 8 | (product >> 8) << 16 | (product & 0xff) << 24, 4);
    return out;
}

Bytes name(std::string_view path, const Bytes& value) { return concat({{NameOp}, name_string(path), value}); }

Bytes package(std::initializer_list<Bytes> items) {
    return concat({{PackageOp}, with_length(concat({{static_cast<u8>(items.size())}, concat(items)}))});
}

Bytes buffer(const Bytes& content) { return concat({{BufferOp}, with_length(concat({integer(content.size()), content}))}); }

Bytes scope(std::string_view path, std::initializer_list<Bytes> terms) {
    return concat({{ScopeOp}, with_length(concat({name_string(path), concat(terms)}))});
}

Bytes device(std::string_view path, std::initializer_list<Bytes> terms) {
    return concat({{ExtOpPrefix, DeviceOp}, with_length(concat({name_string(path), concat(terms)}))});
}

Bytes io(u16 first, u8 length) {
    Bytes out = {0x47, 0x01};  // 16-bit decode
    put(out, first, 2);
    put(out, first, 2);
    out.insert(out.end(), {0x01, length});
    return out;
}

Bytes irq(unsigned line) {
    Bytes out = {0x22};  // edge, active high, exclusive
    put(out, u64{1} << line, 2);
    return out;
}

Bytes bus_range(u16 first, u16 last) { return address_space(0x88, 2, 0, first, last, 2); }
Bytes io_range(u16 first, u16 last) { return address_space(0x88, 1, 3, first, last, 2); }
Bytes memory_range(u32 first, u32 last) { return address_space(0x87, 0, 1, first, last, 4); }

Bytes resources(std::initializer_list<Bytes> descriptors) { return buffer(concat({concat(descriptors), {0x79, 0x00}})); }

}  // namespace ramet::aml
