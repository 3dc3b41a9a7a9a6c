#include "x86/step.h"

#include <algorithm>
#include <cstring>

#include "x86/access.h"
#include "x86/decode.h"
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

/// Adds the bytes of one page, from `linear` on.
Fault read_code(Core& core, u64 linear, Window& window) {
    Frame const frame = TRY(fetch_frame(core, linear));
    const u8* const page = core.memory->read(frame);
    if (page == nullptr) {
        core.report = "instruction fetch where there is no RAM";
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
        u64 const next = (linear & ~(page_size - 1)) + page_size;
        TRY(read_code(core, core.code64() ? next : next & 0xffffffff, window));
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

/// Loading SS holds single-step traps back until after the next instruction, so that a stack can be switched in two.
bool holds_traps(const Core& core, const Insn& insn) { return core.cpu.interrupt_shadow && insn.id != isa::Id::STI; }

/// A software interrupt that was delivered has cleared TF: its handler is not stepped into.
bool was_delivered(const Core& core, const Insn& insn) {
    using isa::Id;
    bool const interrupt = insn.id == Id::INT_Ib || insn.id == Id::INT3 || insn.id == Id::INTO || insn.id == Id::INT1;
    return interrupt && !(core.cpu.rflags & rflags::TF);
}

}  // namespace

Fault step(Core& core, bool& retired) {
    retired = false;
    bool const single_step = core.cpu.rflags & rflags::TF;
    Insn const insn = TRY(fetch_instruction(core));
    TRY(execute(core, insn));
    retired = true;
    if (!single_step || holds_traps(core, insn) || was_delivered(core, insn)) return no_fault;
    core.cpu.dr6 |= 0x4000;
    return raise(Vector::DB);
}

}  // namespace ramet
