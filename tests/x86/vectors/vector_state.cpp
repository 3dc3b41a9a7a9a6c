// States of vectors: the seeded default state, and the differences a vector lists. See docs/formats-vectors.md.
#include <algorithm>
#include <cstring>

#include "vector_file.h"

namespace ramet::vectors {

namespace {

constexpr u64 golden = 0x9e3779b97f4a7c15;

constexpr u64 mix(u64 z) {
    z ^= z >> 30;
    z *= 0xbf58476d1ce4e5b9;
    z ^= z >> 27;
    z *= 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

/// Register contents that meet the corners more often than uniform ones.
constexpr u64 shape(u64 r) {
    u64 const h = mix(r + 1);
    switch (r & 15) {
    case 6: return h & 0xff;
    case 7: return h & 0xffff;
    case 8: return h & 0xffffffff;
    case 9: return static_cast<u64>(i64{static_cast<i8>(h)});
    case 10: return 0;
    case 11: return ~u64{0};
    case 12: return u64{1} << (h & 63);
    case 13: return (u64{1} << (h & 63)) - 1;
    case 14: {
        constexpr std::array<unsigned, 4> exponent = {7, 15, 31, 63};
        return (u64{1} << exponent[h & 3]) + (h >> 8) % 3 - 1;
    }
    case 15: return (h & 0xff) * 0x0101010101010101;
    default: return h;
    }
}

template <class T>
std::span<u8> bytes_of(T& object) {
    return {static_cast<u8*>(static_cast<void*>(&object)), sizeof object};
}

constexpr std::array<const char*, id_count> names = {
    "rax",   "rcx",   "rdx",   "rbx",   "rsp",   "rbp",   "rsi",    "rdi",    "r8",     "r9",     "r10",    "r11",
    "r12",   "r13",   "r14",   "r15",   "rip",   "rflags", "es",    "cs",     "ss",     "ds",     "fs",     "gs",
    "fcw",   "fsw",   "ftw",   "mxcsr", "fsbase", "gsbase", "?",    "?",      "xmm0",   "xmm1",   "xmm2",   "xmm3",
    "xmm4",  "xmm5",  "xmm6",  "xmm7",  "xmm8",  "xmm9",  "xmm10",  "xmm11",  "xmm12",  "xmm13",  "xmm14",  "xmm15",
    "ymmh0", "ymmh1", "ymmh2", "ymmh3", "ymmh4", "ymmh5", "ymmh6",  "ymmh7",  "ymmh8",  "ymmh9",  "ymmh10", "ymmh11",
    "ymmh12", "ymmh13", "ymmh14", "ymmh15", "st0", "st1", "st2",    "st3",    "st4",    "st5",    "st6",    "st7"};

}  // namespace

u64 background(const Header& header, u64 address) { return mix(header.memory_seed + (address >> 3) * golden); }

const char* register_name(unsigned id) { return id < names.size() ? names[id] : "?"; }

std::span<u8> register_bytes(ox_state& s, unsigned id) {
    if (id < id_rip) {
        return bytes_of(s.gpr[id]);
    }
    if (id >= id_selector && id < id_fcw) {
        return bytes_of(s.sel[id - id_selector]);
    }
    if (id >= id_xmm && id < id_ymm_high) {
        return s.xmm[id - id_xmm];
    }
    if (id >= id_ymm_high && id < id_st) {
        return s.ymmh[id - id_ymm_high];
    }
    if (id >= id_st && id < id_count) {
        return s.st[id - id_st];
    }
    switch (id) {
    case id_rip: return bytes_of(s.rip);
    case id_rflags: return bytes_of(s.rflags);
    case id_fcw: return bytes_of(s.fcw);
    case id_fsw: return bytes_of(s.fsw);
    case id_ftw: return bytes_of(s.ftw);
    case id_mxcsr: return bytes_of(s.mxcsr);
    case id_fs_base: return bytes_of(s.fsbase);
    case id_gs_base: return bytes_of(s.gsbase);
    default: return {};
    }
}

void apply(ox_state& state, std::span<const RegisterItem> items) {
    for (auto const& item : items) {
        auto const target = register_bytes(state, item.id);
        if (!item.partial) {
            std::ranges::fill(target, u8{0});
        }
        std::ranges::copy(item.bytes, target.begin());
    }
}

ox_state default_state(const Header& header, u64 ordinal) {
    bool const wide = header.mode == Mode::long64;
    unsigned const count = wide ? 16 : 8;
    u64 const k = mix(header.register_seed + ordinal * golden);
    ox_state s = {};
    for (unsigned i = 0; i < count; ++i) {
        u64 const value = shape(mix(k + (i + 1) * golden));
        s.gpr[i] = wide ? value : static_cast<u32>(value);
        std::array<u64, 4> quad = {};
        for (unsigned q = 0; q < 2; ++q) {
            quad[q] = mix(k + (0x100 + 2 * i + q) * golden);
            quad[2 + q] = header.flags & file_has_ymm ? mix(k + (0x140 + 2 * i + q) * golden) : 0;
        }
        std::memcpy(s.xmm[i], quad.data(), 16);
        std::memcpy(s.ymmh[i], quad.data() + 2, 16);
    }
    s.rip = header.entry;
    s.rflags = 0x202 | (mix(k + 0x40 * golden) & 0x8d5);
    for (unsigned i = 0; i < 6; ++i) {
        s.sel[i] = header.segments[i].sel;
    }
    s.fsbase = header.segments[4].base;
    s.gsbase = header.segments[5].base;
    s.fcw = 0x37f;
    s.mxcsr = 0x1f80;
    return s;
}

ox_state state_before(const Header& header, const Vector& vector) {
    ox_state state = default_state(header, vector.ordinal);
    apply(state, vector.registers_before);
    return state;
}

ox_state state_after(const Header& header, const Vector& vector, const ox_state& before) {
    ox_state state = before;
    if (!(vector.flags & raises_exception)) {
        state.rip += vector.instruction.size();
        if (header.mode != Mode::long64) {
            state.rip = static_cast<u32>(state.rip);
        }
    }
    apply(state, vector.registers_after);
    return state;
}

}  // namespace ramet::vectors
