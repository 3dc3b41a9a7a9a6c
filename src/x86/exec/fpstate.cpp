// Images of the floating-point state in memory: FXSAVE, FXRSTOR, XSAVE, XRSTOR, and MXCSR. Probe then commit: an image is written only when
// all of it can be, and read whole before anything is loaded. x87's own images: x87_state.cpp.
//
// XSAVE knows the states that exist, x87 (bit 0) and SSE (bit 1), in the standard format. Both always count as in use.
// The images' layouts: x86/fpu/x87_image.h; AMD64 APM volume 5, "FXSAVE", and volume 2, "XSAVE/XRSTOR Save Area".
// Tests: the vectors of group fpstate.
#include <algorithm>

#include "x86/exec/simd.h"
#include "x86/exec/special.h"

namespace ramet::exec {

namespace {

constexpr unsigned piece_size = 16;

u64 at(const Core& core, u64 linear, unsigned offset) { return core.code64() ? linear + offset : (linear + offset) & 0xffffffff; }

/// FXSAVE's and XSAVE's images are aligned or #GP; the last byte is looked at before the first.
Result<u64> fx_image_address(Core& core, const Insn& insn, unsigned size, unsigned alignment, AccessType type) {
    u64 const linear = TRY(linear_address(core, insn.segment, effective_address(core, insn), size, type));
    TRY(check_alignment(core, linear, 4));
    if (linear & (alignment - 1)) return fault::gp();
    TRY(translate(core, at(core, linear, size - 1), type, core.context));
    TRY(translate(core, linear, type, core.context));
    return linear;
}

Fault read_image(Core& core, u64 linear, std::span<u8> to) {
    for (unsigned i = 0; i < to.size(); i += piece_size) {
        unsigned const n = static_cast<unsigned>(std::min<std::size_t>(piece_size, to.size() - i));
        TRY(read_linear(core, at(core, linear, i), to.data() + i, n, core.context));
    }
    return no_fault;
}
Fault write_image(Core& core, u64 linear, std::span<const u8> from) {
    for (unsigned i = 0; i < from.size(); i += piece_size) {
        unsigned const n = static_cast<unsigned>(std::min<std::size_t>(piece_size, from.size() - i));
        TRY(write_linear(core, at(core, linear, i), from.data() + i, n, core.context));
    }
    return no_fault;
}

// FXSAVE and FXRSTOR ----------------------------------------------------------------------------------------------------------

constexpr unsigned fx_size = 512, mxcsr_offset = 24, mask_offset = 28, st_offset = 32, xmm_offset = 160;
using FxImage = std::array<u8, fx_size>;

unsigned xmm_count(const Core& core) { return core.code64() ? 16 : 8; }
bool wide_pointers(const Insn& insn) { return insn.operand_size == 8; }

void put_mxcsr(const Core& core, FxImage& image) {
    store_le<u32>(&image[mxcsr_offset], fpu::collected_mxcsr(core.cpu.mxcsr));
    store_le<u32>(&image[mask_offset], fpu::mxcsr::writable);
}
void put_xmm(const Core& core, FxImage& image) {
    for (unsigned i = 0; i < xmm_count(core); ++i) {
        store_le<u64>(&image[xmm_offset + 16 * i], core.cpu.xmm[i].lo);
        store_le<u64>(&image[xmm_offset + 16 * i + 8], core.cpu.xmm[i].hi);
    }
}
void take_xmm(Core& core, FxImage const& image) {
    for (unsigned i = 0; i < xmm_count(core); ++i)
        core.cpu.xmm[i] = {load_le<u64>(&image[xmm_offset + 16 * i]), load_le<u64>(&image[xmm_offset + 16 * i + 8])};
}
/// Flags that the host has collected belong to the old value.
void set_mxcsr(Core& core, u32 value) {
    core.cpu.mxcsr = value;
    fpu::load_mxcsr(value);
    mode_changed(core);
}
bool is_valid_mxcsr(u32 value) { return (value & ~fpu::mxcsr::writable) == 0; }

Fault fx_available(const Core& core) { return core.cpu.cr0 & (cr0::EM | cr0::TS) ? fault::nm() : no_fault; }

}  // namespace

/// Without CR4.OSFXSR only the x87 part is moved. What lies behind the registers stays as it was.
Fault fxsave(Core& core, const Insn& insn) {
    TRY(fx_available(core));
    u64 const linear = TRY(fx_image_address(core, insn, fx_size, 16, AccessType::write));
    FxImage image = {};
    fpu::write_fx(core.cpu.x87, wide_pointers(insn), image);
    bool const with_sse = core.cpu.cr4 & cr4::OSFXSR;
    if (!with_sse) {
        TRY(write_image(core, linear, std::span(image).first(mxcsr_offset)));
        return write_image(core, at(core, linear, st_offset), std::span(image).subspan(st_offset, xmm_offset - st_offset));
    }
    put_mxcsr(core, image);
    put_xmm(core, image);
    return write_image(core, linear, std::span(image).first(xmm_offset + 16 * xmm_count(core)));
}

Fault fxrstor(Core& core, const Insn& insn) {
    TRY(fx_available(core));
    u64 const linear = TRY(fx_image_address(core, insn, fx_size, 16, AccessType::read));
    FxImage image;
    TRY(read_image(core, linear, image));
    bool const with_sse = core.cpu.cr4 & cr4::OSFXSR;
    u32 const mxcsr = load_le<u32>(&image[mxcsr_offset]);
    if (with_sse && !is_valid_mxcsr(mxcsr)) return fault::gp();
    fpu::read_fx(core.cpu.x87, wide_pointers(insn), image);
    if (with_sse) {
        take_xmm(core, image);
        set_mxcsr(core, mxcsr);
    }
    return no_fault;
}

Fault ldmxcsr(Core& core, const Insn& insn) {
    TRY(sse_available(core));
    u32 const value = TRY(read_memory<u32>(core, insn));
    if (!is_valid_mxcsr(value)) return fault::gp();
    set_mxcsr(core, value);
    return no_fault;
}
Fault stmxcsr(Core& core, const Insn& insn) {
    TRY(sse_available(core));
    return write_memory<u32>(core, insn, fpu::collected_mxcsr(core.cpu.mxcsr));
}

// XSAVE and XRSTOR ------------------------------------------------------------------------------------------------------------

namespace {

constexpr u64 state_x87 = 1, state_sse = 2;
constexpr unsigned header_size = 64, xsave_size = fx_size + header_size;

Fault xsave_available(const Core& core) {
    if (!(core.cpu.cr4 & cr4::OSXSAVE)) return fault::ud();
    return core.cpu.cr0 & cr0::TS ? fault::nm() : no_fault;
}
u64 requested_states(const Core& core) { return (u64{core.gpr<u32>(RDX)} << 32 | core.gpr<u32>(RAX)) & core.cpu.xcr0; }

}  // namespace

/// Only the requested parts are written, and of the header only XSTATE_BV.
Fault xsave(Core& core, const Insn& insn) {
    TRY(xsave_available(core));
    u64 const linear = TRY(fx_image_address(core, insn, xsave_size, 64, AccessType::write));
    u64 const wanted = requested_states(core);
    u64 in_use = 0;
    TRY(read_linear(core, at(core, linear, fx_size), &in_use, 8, core.context));
    in_use |= wanted;
    FxImage image = {};
    fpu::write_fx(core.cpu.x87, wide_pointers(insn), image);
    put_mxcsr(core, image);
    put_xmm(core, image);
    auto const put = [&](unsigned first, unsigned size) { return write_image(core, at(core, linear, first), std::span(image).subspan(first, size)); };
    if (wanted & state_x87) {
        TRY(put(0, mxcsr_offset));
        TRY(put(st_offset, xmm_offset - st_offset));
    }
    if (wanted & state_sse) {
        TRY(put(mxcsr_offset, 8));
        TRY(put(xmm_offset, 16 * xmm_count(core)));
    }
    return write_linear(core, at(core, linear, fx_size), &in_use, 8, core.context);
}

/// A requested part that the header does not name gets its initial values, except MXCSR, which is loaded whenever SSE is requested.
Fault xrstor(Core& core, const Insn& insn) {
    TRY(xsave_available(core));
    u64 const linear = TRY(fx_image_address(core, insn, xsave_size, 64, AccessType::read));
    FxImage image;
    std::array<u64, 3> header;
    TRY(read_image(core, linear, image));
    TRY(read_image(core, at(core, linear, fx_size), {reinterpret_cast<u8*>(header.data()), sizeof header}));
    if ((header[0] & ~core.cpu.xcr0) || header[1] != 0 || header[2] != 0) return fault::gp();
    u64 const wanted = requested_states(core);
    u32 const mxcsr = load_le<u32>(&image[mxcsr_offset]);
    if ((wanted & state_sse) && !is_valid_mxcsr(mxcsr)) return fault::gp();
    if (wanted & state_x87) {
        if (header[0] & state_x87) fpu::read_fx(core.cpu.x87, wide_pointers(insn), image);
        else {
            core.cpu.x87 = {};
            fpu::initialise(core.cpu.x87);
        }
    }
    if (wanted & state_sse) {
        if (header[0] & state_sse) take_xmm(core, image);
        else std::fill_n(core.cpu.xmm.begin(), xmm_count(core), V128{});
        set_mxcsr(core, mxcsr);
    }
    return no_fault;
}

}  // namespace ramet::exec
