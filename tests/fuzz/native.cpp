#include "native.h"

#include <cpuid.h>
#include <asm/ldt.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>

namespace ramet::fuzz {

namespace {

constexpr std::array signals = {SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV};
constexpr int enter_signal = SIGUSR1;
constexpr std::size_t stack_size = 1 << 16, frame_size_max = 8192;

/// What the handlers share with run(). One instruction at a time.
struct Exchange {
    ox_state* state = nullptr;
    ox_exc* exception = nullptr;
    mcontext_t saved_registers;
    std::array<u8, frame_size_max> saved_fp;
    std::size_t fp_size = 0;
    NativePlace place;
    bool inside = false;
};
Exchange exchange;
alignas(64) std::array<u8, stack_size> handler_stack;
stack_t previous_stack;
std::array<struct sigaction, signals.size()> previous_actions;
struct sigaction previous_enter;

constexpr std::array<int, 16> gpr_places = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                            REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
constexpr u64 visible_flags = 0x40cd5;  // arithmetic flags, DF, AC

struct Image {
    u8* bytes;
    template <class T>
    T get(std::size_t at) const {
        T value;
        std::memcpy(&value, bytes + at, sizeof value);
        return value;
    }
    template <class T>
    void put(std::size_t at, T value) const {
        std::memcpy(bytes + at, &value, sizeof value);
    }
};

// Software bytes of the FXSAVE image say how long the whole frame is; behind 512 bytes comes the XSAVE header.
constexpr std::size_t magic_at = 464, size_at = 468, header_at = 512;
constexpr u32 magic = 0x46505853;

std::size_t fp_size(Image image) { return image.get<u32>(magic_at) == magic ? image.get<u32>(size_at) : 512; }

void put_state(ox_state const& s, mcontext_t& m) {
    for (unsigned i = 0; i < 16; ++i) m.gregs[gpr_places[i]] = static_cast<greg_t>(s.gpr[i]);
    m.gregs[REG_RIP] = static_cast<greg_t>(s.rip);
    m.gregs[REG_EFL] = static_cast<greg_t>((static_cast<u64>(m.gregs[REG_EFL]) & ~visible_flags) | (s.rflags & visible_flags));
    Image const fp{reinterpret_cast<u8*>(m.fpregs)};
    fp.put<u16>(0, s.fcw);
    fp.put<u16>(2, s.fsw);
    fp.put<u8>(4, s.ftw);
    fp.put<u32>(24, s.mxcsr);
    for (unsigned i = 0; i < 8; ++i) std::memcpy(fp.bytes + 32 + 16 * i, s.st[i], 10);
    for (unsigned i = 0; i < 16; ++i) std::memcpy(fp.bytes + 160 + 16 * i, s.xmm[i], 16);
    if (fp_size(fp) > 512) fp.put<u64>(header_at, fp.get<u64>(header_at) | 3);
}

/// Parts that the kernel left out of the frame are in their initial state.
void take_state(ox_state& s, mcontext_t const& m) {
    for (unsigned i = 0; i < 16; ++i) s.gpr[i] = static_cast<u64>(m.gregs[gpr_places[i]]);
    s.rip = static_cast<u64>(m.gregs[REG_RIP]);
    s.rflags = (s.rflags & ~visible_flags) | (static_cast<u64>(m.gregs[REG_EFL]) & visible_flags);
    Image const fp{reinterpret_cast<u8*>(m.fpregs)};
    u64 const present = fp_size(fp) > 512 ? fp.get<u64>(header_at) : 3;
    s.fcw = present & 1 ? fp.get<u16>(0) : 0x37f;
    s.fsw = present & 1 ? fp.get<u16>(2) : 0;
    s.ftw = present & 1 ? fp.get<u8>(4) : 0;
    s.mxcsr = fp.get<u32>(24);
    std::memset(s.st, 0, sizeof s.st);
    std::memset(s.xmm, 0, sizeof s.xmm);
    for (unsigned i = 0; i < 8 && (present & 1); ++i) std::memcpy(s.st[i], fp.bytes + 32 + 16 * i, 10);
    for (unsigned i = 0; i < 16 && (present & 2); ++i) std::memcpy(s.xmm[i], fp.bytes + 160 + 16 * i, 16);
}

void set_data_segments(u16 selector) { asm volatile("mov %0, %%ds; mov %0, %%es" : : "r"(u32{selector})); }

/// CS and SS are in the frame, with GS and FS between them; DS and ES stay as the handler leaves them.
void enter_segments(mcontext_t& m) {
    u16 const code = exchange.place.code_selector, data = exchange.place.data_selector;
    u64 const others = static_cast<u64>(m.gregs[REG_CSGSFS]) & 0x0000'ffff'ffff'0000;
    m.gregs[REG_CSGSFS] = static_cast<greg_t>(others | code | u64{data} << 48);
    set_data_segments(data);
}

mcontext_t& machine_of(void* context) { return static_cast<ucontext_t*>(context)->uc_mcontext; }

void enter(int, siginfo_t*, void* context) {
    mcontext_t& m = machine_of(context);
    exchange.saved_registers = m;
    exchange.fp_size = fp_size({reinterpret_cast<u8*>(m.fpregs)});
    if (exchange.fp_size > frame_size_max) return;
    std::memcpy(exchange.saved_fp.data(), m.fpregs, exchange.fp_size);
    put_state(*exchange.state, m);
    if (exchange.place.size != CodeSize::bits64) enter_segments(m);
    exchange.inside = true;
}

void leave(int number, siginfo_t*, void* context) {
    if (!exchange.inside) {  // a fault of our own: let it happen again, without us
        std::signal(number, SIG_DFL);
        return;
    }
    exchange.inside = false;
    set_data_segments(0);
    mcontext_t& m = machine_of(context);
    take_state(*exchange.state, m);
    auto const vector = static_cast<u8>(m.gregs[REG_TRAPNO]);
    *exchange.exception = {1, vector, static_cast<u32>(m.gregs[REG_ERR]), static_cast<u64>(m.gregs[REG_CR2])};
    auto* const fp = m.fpregs;
    std::memcpy(fp, exchange.saved_fp.data(), exchange.fp_size);
    std::memcpy(m.gregs, exchange.saved_registers.gregs, sizeof m.gregs);
}

bool map(u64 at, int protection) {
    void* const wanted = reinterpret_cast<void*>(at);
    return mmap(wanted, native_size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == wanted;
}

/// One descriptor of the process's local table, as Linux describes it.
bool set_descriptor(u16 selector, u64 base, bool code, bool wide) {
    constexpr int write_descriptor = 0x11;
    constexpr unsigned data_contents = 0, code_contents = 2;
    user_desc d = {};
    d.entry_number = selector >> 3;
    d.base_addr = static_cast<unsigned>(base);
    d.limit = native_size - 1;
    d.seg_32bit = wide;
    d.contents = code ? code_contents : data_contents;
    return syscall(SYS_modify_ldt, write_descriptor, &d, sizeof d) == 0;
}

NativePlace local_place(CodeSize size) {
    bool const wide = size == CodeSize::bits32;
    return {size, static_cast<u16>(wide ? 0x17 : 0x07), static_cast<u16>(wide ? 0x1f : 0x0f), native_size - 1, native_code, native_data};
}

/// Some virtual hosts take local descriptors and never load the table: LAR, which looks at it as a load would, tells.
bool is_loadable(u16 selector) {
    u32 rights = 0;
    bool visible = false;
    asm volatile("lar %2, %0" : "=r"(rights), "=@ccz"(visible) : "r"(u32{selector}));
    return visible;
}

/// False: the kernel refuses, as some do for 16 bits, or the processor does not see it.
bool set_descriptors(CodeSize size) {
    NativePlace const place = local_place(size);
    bool const wide = size == CodeSize::bits32;
    bool const set = set_descriptor(place.code_selector, place.code_base, true, wide) && set_descriptor(place.data_selector, place.data_base, false, wide);
    return set && is_loadable(place.code_selector) && is_loadable(place.data_selector);
}

}  // namespace

std::array<u8, 32> native_code_bytes(std::span<const u8> instruction) {
    constexpr u8 int3 = 0xcc;
    std::array<u8, 32> bytes;
    bytes.fill(int3);
    std::memcpy(bytes.data(), instruction.data(), instruction.size());
    return bytes;
}

Native::Native() {
    if (!map(native_code, PROT_READ | PROT_WRITE | PROT_EXEC) || !map(native_data, PROT_READ | PROT_WRITE)) return;
    stack_t stack = {};
    stack.ss_sp = handler_stack.data();
    stack.ss_size = handler_stack.size();
    sigaltstack(&stack, &previous_stack);
    struct sigaction action = {};
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    action.sa_sigaction = leave;
    for (std::size_t i = 0; i < signals.size(); ++i) sigaction(signals[i], &action, &previous_actions[i]);
    action.sa_sigaction = enter;
    sigaction(enter_signal, &action, &previous_enter);
    ready_ = true;
    for (CodeSize const size : {CodeSize::bits16, CodeSize::bits32}) has_local_[static_cast<unsigned>(size)] = set_descriptors(size);
}

Native::~Native() {
    if (ready_) {
        for (std::size_t i = 0; i < signals.size(); ++i) sigaction(signals[i], &previous_actions[i], nullptr);
        sigaction(enter_signal, &previous_enter, nullptr);
        sigaltstack(&previous_stack, nullptr);
    }
    munmap(reinterpret_cast<void*>(native_code), native_size);
    munmap(reinterpret_cast<void*>(native_data), native_size);
}

std::optional<NativePlace> Native::place(CodeSize size) const {
    constexpr u16 user_code32 = 0x23;
    if (size == CodeSize::bits64) return NativePlace{};
    if (has_local_[static_cast<unsigned>(size)]) return local_place(size);
    if (size == CodeSize::bits32 && is_loadable(user_code32)) return NativePlace{.size = size, .code_selector = user_code32};
    return std::nullopt;
}

void Native::run(std::span<const u8> instruction, NativePlace const& place, ox_state& state, ox_exc& exception) {
    constexpr u8 breakpoint = 3;
    auto const code = native_code_bytes(instruction);
    std::memcpy(reinterpret_cast<void*>(native_code), code.data(), code.size());
    state.rip = place.start();
    exchange.place = place;
    exchange.state = &state;
    exchange.exception = &exception;
    exception = {};
    std::raise(enter_signal);
    if (exception.vector == breakpoint && state.rip == place.start() + instruction.size() + 1) {
        exception = {};
        --state.rip;
    }
}

bool host_is_amd() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid(0, &a, &b, &c, &d) && b == 0x68747541 && c == 0x444d4163 && d == 0x69746e65;
}

}  // namespace ramet::fuzz
