// VectorFile: a file of single-instruction tests, each a state before and a state after. docs/formats-vectors.md draws
// the format. A file is one LZ4 frame; nothing in it is trusted: every length is checked before it is used, and what a
// frame may unpack to is bounded. load() walks all vectors once, so parse() of a loaded file cannot fail.
//
// Not modelled: writing header fields this reader does not know (they are kept as bytes). Tests: vector_file_test.cpp.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "plugin.h"

namespace ramet::vectors {

enum class Mode : u8 { long64, prot32, seg32, real16 };
inline constexpr std::array<const char*, 4> mode_names = {"long64", "prot32", "seg32", "real16"};

/// Bits of a file's flags.
enum FileFlag : u32 {
    file_has_ymm = 1,
    file_is_transcendental = 2,
    file_is_approximate = 4,
};

/// Bits of a vector's flags.
enum VectorFlag : u8 {
    raises_exception = 1,
    has_undefined_flags = 2,
    has_undefined_fsw = 4,
    has_ignored_memory = 8,
    result_is_approximate = 16,
    is_vendor_specific = 32,
};

/// Register ids of items; see register_bytes().
enum RegisterId : u8 {
    id_gpr = 0,
    id_rip = 16,
    id_rflags = 17,
    id_selector = 18,
    id_fcw = 24,
    id_fsw = 25,
    id_ftw = 26,
    id_mxcsr = 27,
    id_fs_base = 28,
    id_gs_base = 29,
    id_xmm = 32,
    id_ymm_high = 48,
    id_st = 64,
    id_count = 72,
};

/// One register's bytes. `partial`: only the low bytes are replaced; otherwise the rest becomes zero.
struct RegisterItem {
    u8 id = 0;
    bool partial = false;
    std::span<const u8> bytes;
};

struct MemoryItem {
    u64 address = 0;
    std::span<const u8> bytes;
};

struct MemoryRange {
    u64 address = 0;
    u64 size = 0;
};

/// Spans point into the file's bytes.
struct Vector {
    u64 ordinal = 0;
    u8 flags = 0;
    std::span<const u8> instruction;
    std::vector<RegisterItem> registers_before;
    std::vector<MemoryItem> memory_before;
    std::vector<RegisterItem> registers_after;
    std::vector<MemoryItem> memory_after;
    u16 undefined_flags = 0;
    u16 undefined_fsw = 0;
    std::vector<MemoryRange> ignored_memory;
    u8 exception = 0;
    u32 error_code = 0;
    u64 cr2 = 0;
};

struct Header {
    Mode mode = Mode::long64;
    u32 flags = 0;
    u32 count = 0;
    u64 memory_seed = 0;
    u64 register_seed = 0;
    u64 entry = 0;
    std::vector<ox_region> regions;
    std::array<ox_seg, 6> segments = {};
    std::vector<u64> gdt;
    std::vector<u64> ldt;
    std::string group;
};

class VectorFile {
public:
    /// Largest unpacked size we accept: eight times the largest file recorded so far.
    static constexpr u64 unpacked_size_max = u64{32} << 20;

    static Expected<VectorFile> load(const std::string& path);
    static Expected<VectorFile> from_bytes(std::vector<u8> unpacked);

    const Header& header() const { return header_; }
    u32 size() const { return static_cast<u32>(places_.size()); }
    u64 ordinal(u32 index) const { return places_.at(index).ordinal; }
    Vector parse(u32 index) const;

    ox_config config() const;
    /// A file with the same header and only these vectors (ascending indexes), unpacked.
    std::vector<u8> subset(std::span<const u32> indexes) const;

private:
    struct Place {
        u64 ordinal = 0;
        u32 offset = 0;  // of the byte after the length field
        u32 size = 0;
    };

    std::vector<u8> bytes_;
    Header header_;
    u32 header_end_ = 0;
    std::vector<Place> places_;
};

/// The initial content of memory: the aligned quadword at a linear address.
u64 background(const Header& header, u64 address);
/// What the code region holds besides the instruction, in files that say so (region bit 8): HLT.
inline constexpr u8 code_filler = 0xf4;
inline constexpr u32 region_is_code_filler = 8;

/// Default state of the vector with this ordinal, before its items.
ox_state default_state(const Header& header, u64 ordinal);
/// The bytes of one register in a state; empty for ids that name nothing.
std::span<u8> register_bytes(ox_state& state, unsigned id);
const char* register_name(unsigned id);
void apply(ox_state& state, std::span<const RegisterItem> items);

/// States before and after as the format defines them.
ox_state state_before(const Header& header, const Vector& vector);
ox_state state_after(const Header& header, const Vector& vector, const ox_state& before);

}  // namespace ramet::vectors
