// SIMD instructions that are no pure operation on two vectors: EMMS, masked stores, and string comparisons, which have implicit operands.
// Probe then commit.
#include "x86/exec/simd.h"
#include "x86/exec/special.h"
#include "x86/ops/simd_int.h"
#include "x86/ops/simd_string.h"

namespace ramet::exec {

Fault emms(Core& core, const Insn&) {
    TRY(mmx_available(core));
    fpu::leave_mmx(core.cpu.x87);
    return no_fault;
}

namespace {

/// Bytes of `value` whose bit in `mask` is set go to DS:rDI. The whole range must be writable, whatever the mask says.
Fault masked_store(Core& core, const Insn& insn, V128 value, u16 mask, unsigned size) {
    u64 const offset = core.cpu.gpr[RDI] & (insn.address_size == 8 ? ~u64{0} : insn.address_size == 4 ? 0xffffffff : 0xffff);
    u64 const linear = TRY(linear_address(core, insn.segment, offset, size, AccessType::write));
    TRY(check_alignment(core, linear, 8));
    TRY(probe_write(core, linear, size, core.context));
    std::array<u8, 16> bytes = {};
    TRY(read_linear(core, linear, bytes.data(), size, core.context));
    auto const source = ops::lanes<u8>(value);
    for (unsigned i = 0; i < size; ++i)
        if (mask >> i & 1) bytes[i] = source[i];
    return write_linear(core, linear, bytes.data(), size, core.context);
}

}  // namespace

Fault maskmovq(Core& core, const Insn& insn) {
    TRY(mmx_available(core));
    fpu::enter_mmx(core.cpu.x87);  // even if the store faults, as AMD's processors do
    return masked_store(core, insn, mm(core, insn.reg()), ops::byte_mask(mm(core, insn.rm())) & 0xff, 8);
}
Fault maskmovdqu(Core& core, const Insn& insn) {
    TRY(sse_available(core));
    return masked_store(core, insn, core.cpu.xmm[insn.reg()], ops::byte_mask(core.cpu.xmm[insn.rm()]), 16);
}

namespace {

constexpr Operand string_source = isa::parse_operand("Wu:r");

struct Strings {
    ops::StringControl control;
    ops::StringResult result;
};

/// The lengths are in rAX and rDX, 32 bits wide unless REX.W.
Result<Strings> explicit_strings(Core& core, const Insn& insn) {
    TRY(sse_available(core));
    ops::StringControl const control{static_cast<u8>(insn.immediate)};
    auto const length = [&](unsigned n) { return insn.operand_size == 8 ? static_cast<i64>(core.cpu.gpr[n]) : i64{static_cast<i32>(core.gpr<u32>(n))}; };
    V128 const b = TRY(read_vector<string_source>(core, insn));
    auto const first = ops::explicit_string(core.cpu.xmm[insn.reg()], length(RAX), control);
    return Strings{control, ops::compare_strings(first, ops::explicit_string(b, length(RDX), control), control)};
}
Result<Strings> implicit_strings(Core& core, const Insn& insn) {
    TRY(sse_available(core));
    ops::StringControl const control{static_cast<u8>(insn.immediate)};
    V128 const b = TRY(read_vector<string_source>(core, insn));
    auto const first = ops::implicit_string(core.cpu.xmm[insn.reg()], control);
    return Strings{control, ops::compare_strings(first, ops::implicit_string(b, control), control)};
}

Fault set_index(Core& core, Strings const& s) {
    core.cpu.gpr[RCX] = ops::string_index(s.result.bits, s.control);
    core.set_flags(s.result.flags);
    return no_fault;
}
Fault set_mask(Core& core, Strings const& s) {
    core.cpu.xmm[0] = ops::string_mask(s.result.bits, s.control);
    core.set_flags(s.result.flags);
    return no_fault;
}

}  // namespace

Fault pcmpestri(Core& core, const Insn& insn) { return set_index(core, TRY(explicit_strings(core, insn))); }
Fault pcmpestrm(Core& core, const Insn& insn) { return set_mask(core, TRY(explicit_strings(core, insn))); }
Fault pcmpistri(Core& core, const Insn& insn) { return set_index(core, TRY(implicit_strings(core, insn))); }
Fault pcmpistrm(Core& core, const Insn& insn) { return set_mask(core, TRY(implicit_strings(core, insn))); }

}  // namespace ramet::exec
