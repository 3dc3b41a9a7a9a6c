// Memory images of the x87 unit: the environment (FSTENV), the whole state (FSAVE), and the x87 part of FXSAVE.
// AMD64 APM volume 2, "x87 Environment" (figures 11-5 to 11-8); volume 5, "FXSAVE". Images are bytes; who moves them to and from
// memory is x86/exec/fpstate.cpp.
//
//   environment, 32 bit (28 bytes)      16 bit (14 bytes)     real mode, 32 bit                real mode, 16 bit
//     0 FCW    (upper half ones)         0 FCW                as protected mode                as protected mode
//     4 FSW    (upper half ones)         2 FSW
//     8 FTW    (upper half ones)         4 FTW
//    12 FIP                              6 FIP                12 FIP bits 15..0                6 FIP bits 15..0
//    16 FCS | FOP << 16                  8 FCS                16 FIP 31..16 << 12 | FOP        8 FIP 19..16 << 12 | FOP
//    20 FDP                             10 FDP                20 FDP bits 15..0               10 FDP bits 15..0
//    24 FDS   (upper half ones)         12 FDS                24 FDP 31..16 << 12             12 FDP 19..16 << 12
//
// FTW here has two bits for each register: 0 valid, 1 zero, 2 special, 3 empty.
#pragma once

#include <span>

#include "x86/fpu/x87_unit.h"

namespace ramet::fpu {

inline constexpr unsigned register_image_size = 10;

struct ImageFormat {
    bool wide = false;  ///< 32-bit operand size
    bool real = false;  ///< real and virtual-8086 mode

    constexpr unsigned environment_size() const { return wide ? 28 : 14; }
    constexpr unsigned state_size() const { return environment_size() + 8 * register_image_size; }
};

/// The two-bit tags.
u16 full_tags(const X87& f);

void write_environment(const X87& f, ImageFormat format, std::span<u8> to);
void read_environment(X87& f, ImageFormat format, std::span<const u8> from);
/// ST(0) to ST(7) in ten bytes each; as many as are given.
void write_registers(const X87& f, std::span<u8> to);
void read_registers(X87& f, std::span<const u8> from);

/// FSTENV masks all exceptions after storing; FNCLEX; FNINIT, also after FSAVE.
void mask_all(X87& f);
void clear_exceptions(X87& f);
void initialise(X87& f);
void load_control(X87& f, u16 value);

/// Bytes 0..23 and 32..159 of an FXSAVE image. `wide_pointers`: 64-bit FIP and FDP instead of selectors.
void write_fx(const X87& f, bool wide_pointers, std::span<u8, 512> image);
void read_fx(X87& f, bool wide_pointers, std::span<const u8, 512> image);

/// An MMX instruction makes the whole stack valid and its top 0; EMMS makes it empty.
constexpr void enter_mmx(X87& f) {
    f.ftw = 0xff;
    set_top(f, 0);
}
constexpr void leave_mmx(X87& f) { f.ftw = 0; set_top(f, 0); }
/// Writing MMi also sets the sign and exponent of its register to ones.
constexpr void set_mm(X87& f, unsigned i, u64 value) { f.st[i] = {value, 0xffff}; }

}  // namespace ramet::fpu
