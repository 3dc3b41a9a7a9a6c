// Native: runs one instruction on the host's CPU in user mode. A signal handler puts the state before into its own frame, so that rt_sigreturn
// enters it; the trap behind the instruction, or its fault, is a signal whose frame holds the state after. Then the first frame is restored.
//
// 64-, 32- and 16-bit code. RSP is free to be anything: handlers run on their own stack. Code and data lie at fixed addresses, which the guest maps, too.
// Not thread-safe: signal handlers have one place for their state.
#pragma once

#include <array>
#include <optional>
#include <span>

#include "base/types.h"
#include "plugin.h"
#include "x86/decode.h"

namespace ramet::fuzz {

// Below 4 GiB, so that a segment reaches them.
inline constexpr u64 native_code = 0x1000'0000, native_data = native_code + 0x10000;
inline constexpr u32 native_size = 0x2000;

/// The segments in which code of some size runs. 32- and 16-bit code has local descriptors that do not reach beyond the pages; where the host has no local
/// descriptors, 32-bit code has the system's flat ones.
struct NativePlace {
    CodeSize size = CodeSize::bits64;
    u16 code_selector = 0x33, data_selector = 0x2b;
    u32 limit = 0xffffffff;
    u64 code_base = 0, data_base = 0;

    u64 start() const { return native_code - code_base; }
    u64 data() const { return native_data - data_base; }
};

/// What the first bytes of the code page hold while an instruction runs: behind it INT3.
std::array<u8, 32> native_code_bytes(std::span<const u8> instruction);

class Native {
public:
    Native();
    ~Native();
    Native(const Native&) = delete;
    Native& operator=(const Native&) = delete;

    /// False: the host could not map the pages.
    bool ready() const { return ready_; }
    /// Nothing: the host cannot run code of this size.
    std::optional<NativePlace> place(CodeSize size) const;
    std::span<u8> data() const { return {reinterpret_cast<u8*>(native_data), native_size}; }
    /// The instruction lies at native_code. INT3 behind it counts as its end.
    void run(std::span<const u8> instruction, NativePlace const& place, ox_state& state, ox_exc& exception);

private:
    bool ready_ = false;
    std::array<bool, 2> has_local_ = {};  // descriptors for code of 16 and of 32 bits
};

/// The vectors' truth is AMD's: only such a host can judge.
bool host_is_amd();

}  // namespace ramet::fuzz
