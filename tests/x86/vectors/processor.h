// Processor: our CPU core in the place that instruction vectors describe: the regions of a vector file, its segments and descriptor
// tables, and nothing else. It stands behind the C interface of plugin.h (plugin.cpp).
//
// Protected modes run in long mode (compatibility mode for 32-bit code) at CPL 3 with paging, as the vectors were recorded: each
// region's pages are user pages, and the tables lie on supervisor pages that no vector's address hits. Real mode runs without
// paging at CPL 0. Gates 3 and 4 are open to CPL 3 and lead to addresses where nothing is: finding the CPU there means that a
// software exception was delivered, and the frame on the inner stack tells where it would return to. Real mode does the same with
// an interrupt table, unless the file brings its own.
// Tests: the vectors.
#pragma once

#include <map>

#include "plugin.h"
#include "x86/core.h"

namespace ramet::vectors {

class Processor {
public:
    explicit Processor(const ox_config& config);

    void write(u64 linear, std::span<const u8> bytes);
    void read(u64 linear, std::span<u8> bytes);
    /// False: beyond our model.
    bool step(ox_state& state, ox_exc& exception);

private:
    using RealFrame = std::array<u8, 6>;  // FLAGS, CS, IP
    enum class Kind : u8 { long64, prot32, seg32, real16 };

    bool real() const { return kind_ == Kind::real16; }
    Frame new_frame() { return next_frame_ = next_frame_ + 1; }
    u64 entry(Frame table, u64 index);
    void set_entry(Frame table, u64 index, u64 value);
    void map_page(u64 linear, Frame frame, u64 rights);
    void map_region(const ox_region& region);
    void make_tables(const ox_config& config);
    void load_state(const ox_state& state);
    void store_state(ox_state& state) const;
    std::optional<u8> delivered_vector() const;
    void undo_delivery(ox_state const& before, RealFrame const& overwritten);
    u64 real_stack(unsigned offset) const;

    Kind kind_;
    Memory memory_;
    Caches caches_;
    std::unique_ptr<Bus> bus_;
    Core core_;
    Cpu initial_;
    Frame next_frame_;
    std::map<u64, Frame> pages_;  // linear page address → frame, of everything mapped
    bool own_interrupt_table_ = true;
};

}  // namespace ramet::vectors
