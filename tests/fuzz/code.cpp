// Random code in every mode: real, virtual-8086, protected with 16- and 32-bit segments, 64-bit and compatibility mode; at CPL 0 and 3; without paging and
// with each kind; on segments, descriptors and page-table entries some of which are random, too. Whatever runs, going in one piece and going step by step
// with caches dropped on the way end in the same state, at the same Position; and nothing breaks. Exceptions lead back into the random bytes.
//
// The input: one byte for the mode, then `Choices` byte by byte (zeros where it ends), then code, which is repeated to fill its pages.
#include <array>
#include <memory>
#include <optional>

#include "../x86/no_bus.h"
#include "base/bytes.h"
#include "base/state.h"
#include "targets.h"
#include "x86/core.h"

namespace ramet::fuzz {
namespace {

constexpr u64 code = 0x1000, code_bytes = 0x2000, idt = 0x4000, gdt = 0x5000, tables = 0x6000, task = 0xb000, stack = 0xe000;
constexpr u64 instructions = 400, frames = 64, vectors = 256;
constexpr u16 code_selector = 8, data_selector = 16, user_code = 0x1b, user_data = 0x23, task_selector = 0x28, random_selector = 0x38;
constexpr unsigned random_descriptors = 3;

enum class Start : u8 { real, v86, protected16, protected32, compatibility, long64, count };

/// What an input decides besides its code.
struct Choices {
    u8 level = 0;       // bit 0: CPL 3 where there is a choice; bit 1: paging in protected mode; bit 2: with PAE
    u8 control = 0;     // bits of CR0, CR4 and EFER
    u8 flags = 0;       // bits of EFLAGS
    u8 debug = 0;       // DR7's low byte; the breakpoints are on the code and on the stack
    u8 segment = 0;     // which segment registers hold one of the random descriptors
    u8 entry = 0;       // which page-table entries are random
    std::array<u8, 8 * random_descriptors> descriptors = {};
    std::array<u8, 8> entries = {};
};

class Reader {
public:
    explicit Reader(std::span<const u8> bytes) : bytes_(bytes) {}
    u8 byte() {
        if (bytes_.empty()) return 0;
        u8 const value = bytes_.front();
        bytes_ = bytes_.subspan(1);
        return value;
    }
    std::span<const u8> rest() const { return bytes_; }

private:
    std::span<const u8> bytes_;
};

class Pad {
public:
    explicit Pad(std::span<const u8> bytes) : memory_(std::make_shared<PagePool>(), {{Frame{0}, frames}}), interpreter_(CpuModel::ramet_v2, 1) {
        Reader reader{bytes};
        start_ = static_cast<Start>(reader.byte() % static_cast<u8>(Start::count));
        for (u8* const to : {&choices_.level, &choices_.control, &choices_.flags, &choices_.debug, &choices_.segment, &choices_.entry}) *to = reader.byte();
        for (u8& to : choices_.descriptors) to = reader.byte();
        for (u8& to : choices_.entries) to = reader.byte();
        auto const text = reader.rest();
        for (u64 at = 0; at < code_bytes; ++at) put<u8>(code + at, text.empty() ? u8{0x90} : text[at % text.size()]);
        set_registers();
        if (start_ == Start::real) set_real_vectors();
        else set_protection();
        set_debugging();
    }

    /// Runs in pieces of so many instructions; what is left behind. Nothing when faults follow one another without end: there is no boundary then.
    std::optional<Digest> run(u64 piece) {
        Position const end{instructions};
        Stop stop = Stop::bus;
        unsigned barren = 0;
        while (interpreter_.clock().position < end && (stop == Stop::bus || stop == Stop::limit) && barren < barren_max) {
            Position const before = interpreter_.clock().position;
            stop = interpreter_.run(memory_, bus_, Cycles::never(), Position{std::min(end.value, before.value + std::min(piece, instructions))});
            barren = interpreter_.clock().position == before ? barren + 1 : 0;
            if (piece == 1 && interpreter_.clock().position.value % 16 == 0) interpreter_.drop_caches();
        }
        if (barren == barren_max) return std::nullopt;
        DigestStream stream;
        stream.add(memory_.digest());
        stream.add(state_digest(interpreter_.cpu()));
        stream.add(state_digest(interpreter_.clock()));
        stream.add(interpreter_.rng_state());
        stream.add(u64{static_cast<u8>(stop == Stop::bus ? Stop::limit : stop)});
        return stream.finish();
    }

private:
    static constexpr unsigned barren_max = 2;

    template <class T>
    void put(u64 at, T value) {
        std::array<u8, sizeof(T)> bytes;
        store_le(bytes.data(), value);
        memory_.copy_in(GuestPhys{at}, bytes);
    }
    Cpu& cpu() { return interpreter_.cpu(); }
    bool wide() const { return start_ == Start::long64 || start_ == Start::compatibility; }
    bool chose(u8 choices, unsigned bit) const { return choices >> bit & 1; }

    void set_registers() {
        cpu().rip = code;
        cpu().gpr = {0, code, 2, stack, stack, code + 0x800, stack + 0x100, stack + 0x200, 8, 9, 10, 11, code, stack, 14, 15};
        cpu().cr4 = cr4::OSFXSR | cr4::OSXMMEXCPT;
        cpu().seg.fill({0, 0x93, 0xffff, 0});
        cpu().seg[CS] = {0, 0x9b, 0xffff, 0};
        constexpr std::array<u64, 8> flags = {rflags::TF, rflags::IF, rflags::DF, rflags::NT, rflags::RF, rflags::AC, 0x3000, rflags::ID};
        for (unsigned i = 0; i < 8; ++i)
            if (chose(choices_.flags, i) && (choices_.level & 0x80)) cpu().rflags |= flags[i];
    }
    void set_real_vectors() {
        for (u64 v = 0; v < vectors; ++v) put<u32>(4 * v, static_cast<u32>(code + v * 16));
    }

    void set_protection() {
        bool const v86 = start_ == Start::v86, narrow = start_ == Start::protected16;
        bool const user = v86 || chose(choices_.level, 0);
        constexpr std::array<u64, 4> control4 = {cr4::UMIP | cr4::FSGSBASE, cr4::SMEP, cr4::SMAP, cr4::VME | cr4::PVI | cr4::DE};
        cpu().cr0 |= cr0::PE | (chose(choices_.control, 0) ? cr0::WP : 0) | (chose(choices_.control, 1) ? cr0::AM : 0) | (chose(choices_.control, 2) ? cr0::NE : 0);
        for (unsigned i = 0; i < 4; ++i)
            if (chose(choices_.control, 3 + i)) cpu().cr4 |= control4[i];
        set_descriptors(narrow);
        cpu().cpl = user ? 3 : 0;
        u16 const wide_bits = narrow ? 0 : 0xc00, level = user ? 0x60 : 0;
        u32 const limit = narrow ? 0xffff : 0xffffffff;
        cpu().seg.fill({user ? user_data : data_selector, static_cast<u16>(0x93 | level | wide_bits), limit, 0});
        u16 const code_bits = start_ == Start::long64 ? u16{0xa00} : wide_bits;
        cpu().seg[CS] = {user ? user_code : code_selector, static_cast<u16>(0x9b | level | code_bits), limit, 0};
        cpu().seg[LDTR] = {};
        cpu().seg[TR] = {task_selector, 0x8b, 0xff, task};
        set_random_segments();
        if (v86) {
            cpu().rflags |= rflags::VM;
            for (unsigned n = 0; n < 6; ++n) cpu().seg[n] = {0, 0xf3, 0xffff, 0};
        }
        set_gates(narrow);
        if (wide()) set_long_paging();
        else if (chose(choices_.level, 1)) set_legacy_paging(chose(choices_.level, 2));
    }
    void set_descriptors(bool narrow) {
        u64 const wide_bits = narrow ? 0 : u64{0xc} << 52;
        u64 const code_bits = start_ == Start::long64 ? u64{0xa} << 52 : wide_bits;
        put<u64>(gdt + code_selector, 0x000f9b000000ffff | code_bits);
        put<u64>(gdt + data_selector, 0x000f93000000ffff | wide_bits);
        put<u64>(gdt + (user_code & 0xf8), 0x000ffb000000ffff | code_bits);
        put<u64>(gdt + (user_data & 0xf8), 0x000ff3000000ffff | wide_bits);
        put<u64>(gdt + task_selector, 0x00008b00000000ff | task << 16);
        memory_.copy_in(GuestPhys{gdt + random_selector}, choices_.descriptors);
        cpu().gdtr = {gdt, random_selector + 8 * random_descriptors - 1};
        put<u32>(task + 4, stack + 0x800);  // 32-bit task: ESP0, SS0; long mode: RSP0
        put<u32>(task + 8, wide() ? 0 : data_selector);
        for (u64 ist = 0; ist < 7; ++ist) put<u64>(task + 0x24 + 8 * ist, stack + 0x900);
        put<u16>(task + 0x66, 0x88);
    }
    /// Data segments as the descriptors say: what a load would have let in, more or less.
    void set_random_segments() {
        if (wide()) return;
        constexpr std::array<unsigned, 4> names = {DS, ES, FS, GS};
        for (unsigned i = 0; i < names.size(); ++i) {
            if (!chose(choices_.segment, i)) continue;
            unsigned const which = i % random_descriptors;
            u64 const d = load_le<u64>(&choices_.descriptors[8 * which]);
            u32 const low = static_cast<u32>(d & 0xffff) | (static_cast<u32>(d >> 32) & 0xf0000);
            u16 const attr = static_cast<u16>((d >> 40 & 0x9f) | (d >> 44 & 0x400) | 0xf0);
            cpu().seg[names[i]] = {static_cast<u16>(random_selector + 8 * which + 3), attr, low, d >> 16 & 0xffff};
        }
    }
    void set_gates(bool narrow) {
        u64 const size = wide() ? 16 : 8;
        u64 const type = narrow ? 0x8600 : 0x8e00;
        cpu().idtr = {idt, static_cast<u16>(vectors * size - 1)};
        for (u64 v = 0; v < vectors; ++v) {
            u64 const open = v % 4 == 3 ? 0x6000 : 0;
            put<u64>(idt + v * size, u64{code_selector} << 16 | (code + v * 16) | (type | open | (wide() ? v % 8 : 0)) << 32);
            if (wide()) put<u64>(idt + v * size + 8, 0);
        }
    }

    /// Random bits go into entries of pages that hold neither code nor tables, and one of them anywhere.
    u64 maybe_random(u64 number, u64 entry) const {
        bool const harmless = number >= 16;
        u64 const noise = u64{choices_.entries[number % 8]} << (choices_.entry % 52);
        return (harmless ? number % 3 == choices_.entry % 3 : number == choices_.entry) ? entry ^ noise : entry;
    }
    void set_long_paging() {
        put<u64>(tables, (tables + 0x1000) | 7);
        put<u64>(tables + 0x1000, (tables + 0x2000) | 7);
        put<u64>(tables + 0x2000, (tables + 0x3000) | 7);
        put<u64>(tables + 0x2008, maybe_random(choices_.entry, 0x87));
        for (u64 page = 0; page < frames; ++page) put<u64>(tables + 0x3000 + 8 * page, maybe_random(page, page << 12 | 7));
        cpu().cr3 = tables;
        cpu().cr4 |= cr4::PAE;
        cpu().cr0 |= cr0::PG;
        cpu().efer = efer::LME | efer::LMA | efer::SCE | (chose(choices_.control, 7) ? efer::NXE : 0);
    }
    void set_legacy_paging(bool pae) {
        cpu().cr0 |= cr0::PG;
        cpu().cr3 = tables;
        if (pae) {
            put<u64>(tables, (tables + 0x1000) | 1);
            cpu().pdpte = {(tables + 0x1000) | 1, 0, 0, 0};
            put<u64>(tables + 0x1000, (tables + 0x2000) | 7);
            for (u64 page = 0; page < frames; ++page) put<u64>(tables + 0x2000 + 8 * page, maybe_random(page, page << 12 | 7));
            cpu().cr4 |= cr4::PAE;
            return;
        }
        put<u32>(tables, static_cast<u32>(tables + 0x1000) | 7);
        for (u64 page = 0; page < frames; ++page) put<u32>(tables + 0x1000 + 4 * page, static_cast<u32>(maybe_random(page, page << 12 | 7)));
    }

    void set_debugging() {
        if (!(choices_.level & 0x40)) return;
        cpu().dr = {code + 5, stack - 4, stack + 0x104, 0x80};
        cpu().dr7 = 0x400 | (choices_.debug & 0x7f) | u64{choices_.debug} << 16 | 0xd7300000;
    }

    Memory memory_;
    Interpreter interpreter_;
    NoBus bus_;
    Start start_ = Start::real;
    Choices choices_;
};

}  // namespace

void code_target(std::span<const u8> bytes) {
    if (bytes.size() < 2) return;
    auto const whole = Pad{bytes}.run(instructions), stepped = Pad{bytes}.run(1);
    require(!whole || !stepped || *whole == *stepped, "where a run stops changes nothing", bytes);
}

}  // namespace ramet::fuzz
