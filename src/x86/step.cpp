#include "x86/step.h"

#include <array>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>

#include "x86/access.h"
#include "x86/debug.h"
#include "x86/exec/branch.h"
#include "x86/exec/driver.h"

namespace ramet {

namespace {

/// Instruction bytes that can be had: the rest of the page, and where an instruction straddles it, of the next one.
struct Window {
    std::array<u8, instruction_length_max> bytes = {};
    std::size_t size = 0;
    std::size_t limit = instruction_length_max;  // bytes within the code segment

    std::span<const u8> view() const { return {bytes.data(), size}; }
};

std::string no_ram_text(u64 linear, GuestPhys at) {
    std::array<char, 96> text;
    std::snprintf(text.data(), text.size(), "instruction fetch where there is no RAM: linear 0x%llx, physical 0x%llx", static_cast<unsigned long long>(linear),
                  static_cast<unsigned long long>(at.value));
    return text.data();
}

/// Adds the bytes of one page, from `linear` on.
Fault read_code(Core& core, u64 linear, Window& window) {
    Frame const frame = TRY(fetch_frame(core, linear));
    const u8* const page = core.memory->read(frame);
    if (page == nullptr && core.memory->contains(frame)) return no_page(core);
    if (page == nullptr) {
        core.report = no_ram_text(linear, GuestPhys{address_of(frame).value + linear % page_size});
        return fault::unsupported();
    }
    u64 const offset = linear & (page_size - 1);
    std::size_t const n = std::min<std::size_t>(page_size - offset, window.limit - window.size);
    std::memcpy(window.bytes.data() + window.size, page + offset, n);
    window.size += n;
    return no_fault;
}

/// First byte: #GP(0) outside the segment or at a non-canonical address. How many bytes the segment still has.
Result<std::size_t> code_limit(const Core& core) {
    u64 const rip = core.cpu.rip;
    if (core.code64()) return is_canonical(rip) ? Result<std::size_t>(instruction_length_max) : Result<std::size_t>(fault::gp());
    u64 const limit = core.cpu.seg[CS].limit;
    if (rip > limit) return fault::gp();
    return static_cast<std::size_t>(std::min<u64>(instruction_length_max, limit - rip + 1));
}

Decoded decode_window(const Core& core, const Window& window) {
    return decode(window.view(), static_cast<CodeSize>(core.mode_word & mode::code_size), core.model_v2);
}

}  // namespace

u64 code_linear(const Core& core) { return core.code64() ? core.cpu.rip : (core.code_base + core.cpu.rip) & 0xffffffff; }

Result<Insn> fetch_instruction(Core& core) {
    Window window;
    window.limit = TRY(code_limit(core));
    u64 const linear = code_linear(core);
    TRY(read_code(core, linear, window));
    Decoded d = decode_window(core, window);
    if (d.status == DecodeStatus::truncated && window.size < window.limit) {
        u64 const next = next_code_page(core, linear);
        if (!is_canonical(next)) return fault::gp();
        TRY(read_code(core, next, window));
        d = decode_window(core, window);
    }
    switch (d.status) {
    case DecodeStatus::ok: return d.insn;
    case DecodeStatus::invalid: return fault::ud();
    case DecodeStatus::truncated:
    case DecodeStatus::too_long: return fault::gp();
    }
    return fault::ud();
}

Fault execute(Core& core, const Insn& insn) { return execute(core, insn, exec::exec_of(insn)); }

namespace {

/// A software interrupt that was delivered has cleared TF: its handler is not stepped into. SYSCALL and SYSRET trap by the TF they leave
/// behind, so that a kernel that masks it is not stepped into, and the user's next instruction is.
bool single_steps(const Core& core, const Insn& insn, bool before) {
    using isa::Id;
    bool const after = core.cpu.rflags & rflags::TF;
    switch (insn.id) {
    case Id::INT_Ib:
    case Id::INT3:
    case Id::INTO:
    case Id::INT1: return before && after;
    case Id::SYSCALL:
    case Id::SYSRET: return after;
    default: return before;
    }
}

/// DebugCtl.BTF leaves only the steps of transfers. An interrupt or exception clears TF for its handler, and IRET does not step the instruction that it
/// goes to: so a program that is stepped from branch to branch is not stepped in its kernel.
bool steps_only_transfers(const Core& core) { return core.cpu.debugctl & debug::debugctl::BTF; }

/// Whether RF is as the instruction left it: loaded by IRET or by a task switch, or held by a repeated instruction that has not finished.
bool keeps_resume_flag(const Core& core, const Insn& insn, u64 start, u16 task) {
    using isa::Id;
    if (insn.id == Id::IRET || (insn.repeat != 0 && core.cpu.rip == start)) return true;
    return core.cpu.seg[TR].selector != task && insn.id != Id::LTR_Ew;
}

/// Executes with the debug conditions of this one instruction; pending ones stay when it faults, unless that is a #DB, which has reported them.
Fault execute_watched(Core& core, const Insn& insn) {
    u64 const pending = core.cpu.pending_debug, start = core.cpu.rip;
    u16 const task = core.cpu.seg[TR].selector;
    Fault const f = execute(core, insn);
    if (f.raised()) {
        core.cpu.pending_debug = f.vector == Vector::DB ? 0 : pending;
        return f;
    }
    if ((core.cpu.rflags & rflags::RF) && !keeps_resume_flag(core, insn, start, task)) {
        core.cpu.rflags &= ~rflags::RF;
        mode_changed(core);
    }
    return no_fault;
}

}  // namespace

Fault step(Core& core, bool& retired) {
    retired = false;
    Shadow const shadow = std::exchange(core.cpu.shadow, Shadow::none);
    if (u64 const hits = debug::at_instruction(core.cpu, code_linear(core))) {
        debug::report(core.cpu, hits | std::exchange(core.cpu.pending_debug, 0));
        return raise(Vector::DB);
    }
    bool const tf = core.cpu.rflags & rflags::TF;
    Insn const insn = TRY(fetch_instruction(core));
    bool const transfer = exec::transfers_control(core, insn);
    u64 const from = core.cpu.rip;
    TRY(execute_watched(core, insn));
    retired = true;
    if (transfer) debug::record_branch(core.cpu, {from, core.cpu.rip});
    if (shadow != Shadow::none) core.cpu.shadow = Shadow::none;  // no shadow is longer than one instruction
    // Nor is the load of SS stepped: a software interrupt after it would take the step into its handler.
    if (core.cpu.shadow == Shadow::mov_ss) return no_fault;
    if (single_steps(core, insn, tf) && (transfer || !steps_only_transfers(core))) core.cpu.pending_debug |= debug::dr6::BS;
    return core.cpu.pending_debug == 0 ? no_fault : take_pending_debug(core);
}

i64 step_counted(Core& core) {
    u64 const before = core.extra + core.retired_extra;
    bool retired = false;
    core.fault = step(core, retired);
    return static_cast<i64>((retired ? 1 : 0) + core.extra + core.retired_extra - before);
}

Fault take_pending_debug(Core& core) {
    debug::report(core.cpu, std::exchange(core.cpu.pending_debug, 0));
    return raise(Vector::DB);
}

}  // namespace ramet
