#include "x86/fpu/x87_image.h"

#include <array>

#include "base/bytes.h"

namespace ramet::fpu {

namespace {

constexpr u16 fop_mask = 0x7ff;
enum Field : unsigned { field_fcw, field_fsw, field_ftw, field_fip, field_fcs, field_fdp, field_fds, field_count };

u16 tag_of(const X87& f, unsigned register_number) {
    F80 const a = f.st[register_number];
    if (!(f.ftw >> register_number & 1)) {
        return 3;
    }
    if (is_zero(a)) {
        return 1;
    }
    bool const normal = exponent(a) != 0 && exponent(a) != 0x7fff && !is_unsupported(a);
    return normal ? 0 : 2;
}

/// The seven fields; what lies above 16 bits matters in the wide format only.
std::array<u32, field_count> environment_fields(const X87& f, ImageFormat format) {
    constexpr u32 ones = 0xffff0000;
    u32 const fip = static_cast<u32>(f.fip);
    u32 const fdp = static_cast<u32>(f.fdp);
    std::array<u32, field_count> fields = {ones | f.fcw, ones | f.fsw, ones | full_tags(f), fip, f.fcs | u32{f.fop} << 16, fdp, ones | f.fds};
    if (format.real) {
        u32 const ip = f.fcs * 16u + fip;
        u32 const dp = f.fds * 16u + fdp;
        fields[field_fip] = ones | (ip & 0xffff);
        fields[field_fcs] = (ip >> 16 << 12) | f.fop;
        fields[field_fdp] = ones | (dp & 0xffff);
        fields[field_fds] = dp >> 16 << 12;
    }
    return fields;
}

F80 load_register_image(const u8* from) { return {load_le<u64>(from), load_le<u16>(from + 8)}; }
void store_register_image(u8* to, F80 a) {
    store_le<u64>(to, a.significand);
    store_le<u16>(to + 8, a.sign_exponent);
}

}  // namespace

u16 full_tags(const X87& f) {
    unsigned tags = 0;
    for (unsigned i = 0; i < 8; ++i) {
        tags |= static_cast<unsigned>(tag_of(f, i)) << 2 * i;
    }
    return static_cast<u16>(tags);
}

void write_environment(const X87& f, ImageFormat format, std::span<u8> to) {
    auto const fields = environment_fields(f, format);
    for (unsigned i = 0; i < field_count; ++i) {
        if (format.wide) {
            store_le<u32>(&to[4 * i], fields[i]);
        } else {
            store_le<u16>(&to[2 * i], static_cast<u16>(fields[i]));
        }
    }
}

void read_environment(X87& f, ImageFormat format, std::span<const u8> from) {
    std::array<u32, field_count> fields = {};
    for (unsigned i = 0; i < field_count; ++i) {
        fields[i] = format.wide ? load_le<u32>(&from[4 * i]) : load_le<u16>(&from[2 * i]);
    }
    f.fcw = static_cast<u16>((fields[field_fcw] & fcw::writable) | fcw::always_one);
    f.fsw = static_cast<u16>(fields[field_fsw]);
    f.ftw = 0;
    for (unsigned i = 0; i < 8; ++i) {
        bool const in_use = (fields[field_ftw] >> 2 * i & 3) != 3;
        f.ftw = static_cast<u8>(f.ftw | in_use << i);
    }
    if (format.real) {
        f.fop = static_cast<u16>(fields[field_fcs] & fop_mask);
        f.fip = (fields[field_fip] & 0xffff) | (fields[field_fcs] >> 12 << 16);
        f.fdp = (fields[field_fdp] & 0xffff) | (fields[field_fds] >> 12 << 16);
        f.fcs = f.fds = 0;
    } else {
        f.fip = fields[field_fip];
        f.fdp = fields[field_fdp];
        f.fcs = static_cast<u16>(fields[field_fcs]);
        f.fds = static_cast<u16>(fields[field_fds]);
        f.fop = static_cast<u16>(fields[field_fcs] >> 16 & fop_mask);
    }
    summarise(f);
}

void write_registers(const X87& f, std::span<u8> to) {
    for (unsigned i = 0; i < 8; ++i) {
        store_register_image(&to[register_image_size * i], st(f, i));
    }
}

void read_registers(X87& f, std::span<const u8> from) {
    for (unsigned i = 0; register_image_size * (i + 1) <= from.size(); ++i) {
        st(f, i) = load_register_image(&from[register_image_size * i]);
    }
}

void mask_all(X87& f) {
    f.fcw |= fcw::masks;
    summarise(f);
}

void clear_exceptions(X87& f) {
    f.fsw = static_cast<u16>(f.fsw & ~(fsw::exceptions | fsw::SF));
    summarise(f);
}

void initialise(X87& f) {
    f.fcw = fcw::fninit;
    f.fsw = 0;
    f.ftw = 0;
    f.fop = 0;
    f.fip = f.fdp = 0;
    f.fcs = f.fds = 0;
}

void load_control(X87& f, u16 value) {
    f.fcw = static_cast<u16>((value & fcw::writable) | fcw::always_one);
    summarise(f);
}

void write_fx(const X87& f, bool wide_pointers, std::span<u8, 512> image) {
    store_le<u16>(&image[0], f.fcw);
    store_le<u16>(&image[2], f.fsw);
    store_le<u16>(&image[4], f.ftw);
    store_le<u16>(&image[6], f.fop);
    if (wide_pointers) {
        store_le<u64>(&image[8], f.fip);
        store_le<u64>(&image[16], f.fdp);
    } else {
        store_le<u64>(&image[8], static_cast<u32>(f.fip) | u64{f.fcs} << 32);
        store_le<u64>(&image[16], static_cast<u32>(f.fdp) | u64{f.fds} << 32);
    }
    for (unsigned i = 0; i < 8; ++i) {
        u8* const at = &image[32 + 16 * i];
        store_register_image(at, st(f, i));
        store_le<u16>(at + 10, u16{0});
        store_le<u32>(at + 12, u32{0});
    }
}

void read_fx(X87& f, bool wide_pointers, std::span<const u8, 512> image) {
    f.fcw = static_cast<u16>((load_le<u16>(&image[0]) & fcw::writable) | fcw::always_one);
    f.fsw = load_le<u16>(&image[2]);
    f.ftw = image[4];
    f.fop = load_le<u16>(&image[6]) & fop_mask;
    u64 const fip = load_le<u64>(&image[8]);
    u64 const fdp = load_le<u64>(&image[16]);
    f.fip = wide_pointers ? fip : static_cast<u32>(fip);
    f.fdp = wide_pointers ? fdp : static_cast<u32>(fdp);
    f.fcs = wide_pointers ? u16{0} : static_cast<u16>(fip >> 32);
    f.fds = wide_pointers ? u16{0} : static_cast<u16>(fdp >> 32);
    for (unsigned i = 0; i < 8; ++i) {
        st(f, i) = load_register_image(&image[32 + 16 * i]);
    }
    summarise(f);
}

}  // namespace ramet::fpu
