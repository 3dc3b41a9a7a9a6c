#include "x86/tlb.h"

namespace ramet {

void Tlb::set(Context c, u64 linear, TlbEntry& e, Frame frame, const u8* bytes) {
    e.addend = reinterpret_cast<u64>(bytes) - (linear & ~(page_size - 1));
    frames_[static_cast<std::size_t>(c) * entry_count + slot(linear)] = static_cast<u32>(frame.value);
}

void Tlb::flush() {
    for (auto& e : entries_) e.read_tag = e.write_tag = no_tag;
}

void Tlb::flush_page(u64 linear) {
    for (std::size_t c = 0; c < context_count; ++c) {
        TlbEntry& e = at(static_cast<Context>(c), linear);
        if (e.read_tag == (linear & ~(page_size - 1))) e.read_tag = e.write_tag = no_tag;
    }
}

void Tlb::drop_frame(Frame frame) {
    for (std::size_t i = 0; i < entries_.size(); ++i)
        if (frames_[i] == static_cast<u32>(frame.value)) entries_[i].read_tag = entries_[i].write_tag = no_tag;
}

void Tlb::revoke_write(Frame frame) {
    for (std::size_t i = 0; i < entries_.size(); ++i)
        if (frames_[i] == static_cast<u32>(frame.value)) entries_[i].write_tag = no_tag;
}

void Tlb::revoke_all_writes() {
    for (auto& e : entries_) e.write_tag = no_tag;
}

}  // namespace ramet
