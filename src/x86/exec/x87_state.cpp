// x87's environment and state in memory (FNSTENV, FLDENV, FNSAVE, FRSTOR), and its control instructions. Layouts: x86/fpu/x87_image.h.
//
// As processors do it, an image is a sequence of elements (seven fields, then for each register eight and two bytes), each at an offset
// that wraps around at the address size. The first field and the last byte are looked at before anything is moved, in this order, so
// that a page fault changes nothing. What remains is an element that straddles a 64 KiB segment's end while the last byte has
// wrapped around: it faults after the elements before it have been moved.
// Tests: the vectors of group x87.
#include "x86/exec/special.h"
#include "x86/exec/x87.h"
#include "x86/fpu/x87_image.h"

namespace ramet::exec {

namespace {

constexpr unsigned state_size_max = 108;
using StateImage = std::array<u8, state_size_max>;

fpu::ImageFormat format_of(const Core& core, const Insn& insn) { return {insn.operand_size != 2, core.real_mode() || core.v86()}; }

Result<u64> element_address(Core& core, const Insn& insn, unsigned at, unsigned size, AccessType type) {
    u64 const offset = within_address_size(insn, effective_address(core, insn) + at);
    return linear_in(core, core.cpu.seg[insn.segment], insn.segment, offset, size, type);
}

/// The checks that come before the first element moves. Where the first field straddles pages, the second page's first byte faults.
Fault probe_image(Core& core, const Insn& insn, unsigned size, AccessType type) {
    unsigned const field = insn.operand_size == 2 ? 2 : 4;
    u64 const first = TRY(element_address(core, insn, 0, field, type));
    u64 const last = TRY(element_address(core, insn, size - 1, 1, type));
    TRY(check_alignment(core, first, field));
    TRY(translate(core, first, type, core.context));
    u64 const to_next = page_size - (first & (page_size - 1));
    TRY(translate(core, to_next < field ? first + to_next : last, type, core.context));
    return no_fault;
}

/// move(linear, place in the image, size) for each element; `moved` counts bytes.
template <class Move>
Fault each_element(Core& core, const Insn& insn, unsigned size, AccessType type, unsigned& moved, Move move) {
    fpu::ImageFormat const format = format_of(core, insn);
    TRY(probe_image(core, insn, size, type));
    unsigned const environment = format.environment_size();
    while (moved < size) {
        bool const whole_register = moved >= environment && (moved - environment) % fpu::register_image_size == 0;
        unsigned const n = moved < environment ? (format.wide ? 4 : 2) : whole_register ? 8 : 2;
        u64 const linear = TRY(element_address(core, insn, moved, n, type));
        TRY(move(linear, moved, n));
        moved += n;
    }
    return no_fault;
}

Fault write_image(Core& core, const Insn& insn, std::span<const u8> image) {
    unsigned moved = 0;
    auto const move = [&](u64 linear, unsigned at, unsigned n) { return write_linear(core, linear, &image[at], n, core.context); };
    return each_element(core, insn, static_cast<unsigned>(image.size()), AccessType::write, moved, move);
}
Fault read_image(Core& core, const Insn& insn, std::span<u8> image, unsigned& moved) {
    auto const move = [&](u64 linear, unsigned at, unsigned n) { return read_linear(core, linear, &image[at], n, core.context); };
    return each_element(core, insn, static_cast<unsigned>(image.size()), AccessType::read, moved, move);
}

}  // namespace

Fault fnstenv(Core& core, const Insn& insn) {
    TRY(x87_available(core));
    auto const format = format_of(core, insn);
    StateImage image;
    auto const bytes = std::span(image).first(format.environment_size());
    fpu::write_environment(core.cpu.x87, format, bytes);
    TRY(write_image(core, insn, bytes));
    fpu::mask_all(core.cpu.x87);
    return no_fault;
}
Fault fldenv(Core& core, const Insn& insn) {
    TRY(x87_waiting(core));
    auto const format = format_of(core, insn);
    StateImage image;
    unsigned moved = 0;
    TRY(read_image(core, insn, std::span(image).first(format.environment_size()), moved));
    fpu::read_environment(core.cpu.x87, format, image);
    return no_fault;
}
Fault fnsave(Core& core, const Insn& insn) {
    TRY(x87_available(core));
    auto const format = format_of(core, insn);
    StateImage image;
    auto const bytes = std::span(image).first(format.state_size());
    fpu::write_environment(core.cpu.x87, format, bytes);
    fpu::write_registers(core.cpu.x87, bytes.subspan(format.environment_size()));
    TRY(write_image(core, insn, bytes));
    fpu::initialise(core.cpu.x87);
    return no_fault;
}
/// What was read before a fault is loaded, except the control word, which comes last.
Fault frstor(Core& core, const Insn& insn) {
    TRY(x87_waiting(core));
    auto const format = format_of(core, insn);
    StateImage image;
    unsigned moved = 0;
    Fault const f = read_image(core, insn, std::span(image).first(format.state_size()), moved);
    if (moved < format.environment_size()) return f;
    u16 const control = core.cpu.x87.fcw;
    fpu::read_environment(core.cpu.x87, format, image);
    if (f.raised()) fpu::load_control(core.cpu.x87, control);
    auto const registers = std::span(image).subspan(format.environment_size(), moved - format.environment_size());
    fpu::read_registers(core.cpu.x87, registers);
    return f;
}

Fault fldcw(Core& core, const Insn& insn) {
    TRY(x87_waiting(core));
    fpu::load_control(core.cpu.x87, TRY(read_memory<u16>(core, insn)));
    return no_fault;
}
Fault fnstcw(Core& core, const Insn& insn) {
    TRY(x87_available(core));
    return write_memory<u16>(core, insn, core.cpu.x87.fcw);
}
Fault fnstsw(Core& core, const Insn& insn) {
    TRY(x87_available(core));
    if (insn.memory()) return write_memory<u16>(core, insn, core.cpu.x87.fsw);
    core.set_gpr<u16>(RAX, core.cpu.x87.fsw);
    return no_fault;
}
Fault fnclex(Core& core, const Insn&) {
    TRY(x87_available(core));
    fpu::clear_exceptions(core.cpu.x87);
    return no_fault;
}
Fault fninit(Core& core, const Insn&) {
    TRY(x87_available(core));
    fpu::initialise(core.cpu.x87);
    return no_fault;
}

}  // namespace ramet::exec
