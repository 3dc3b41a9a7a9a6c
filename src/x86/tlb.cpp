#include "x86/tlb.h"

#include <utility>

namespace ramet {

TlbEntry& Tlb::slot_for(Context c, u64 linear) {
    std::size_t const i = index(c, linear);
    TlbEntry& e = entries_[i];
    if (e.read_tag == (linear & ~(page_size - 1)) || e.read_tag == no_tag) return e;
    u8& oldest = oldest_victim_[static_cast<std::size_t>(c)];
    std::size_t const victim = victims(c) + oldest;
    oldest = static_cast<u8>((oldest + 1) % victim_count);
    entries_[victim] = e;
    frames_[victim] = frames_[i];
    e.write_tag = no_tag;
    return e;
}

bool Tlb::recall(Context c, u64 linear, bool write) {
    u64 const page = linear & ~(page_size - 1);
    std::size_t const first = victims(c), i = index(c, linear);
    for (std::size_t victim = first; victim < first + victim_count; ++victim) {
        if ((write ? entries_[victim].write_tag : entries_[victim].read_tag) != page) continue;
        std::swap(entries_[i], entries_[victim]);
        std::swap(frames_[i], frames_[victim]);
        return true;
    }
    return false;
}

void Tlb::set(Context c, u64 linear, TlbEntry& e, Frame frame, const u8* bytes) {
    e.addend = reinterpret_cast<u64>(bytes) - (linear & ~(page_size - 1));
    frames_[index(c, linear)] = static_cast<u32>(frame.value);
}

void Tlb::flush() {
    for (auto& e : entries_) e.read_tag = e.write_tag = no_tag;
}

void Tlb::flush_page(u64 linear) {
    auto const forget = [page = linear & ~(page_size - 1)](TlbEntry& e) {
        if (e.read_tag == page) e.read_tag = e.write_tag = no_tag;
    };
    for (std::size_t c = 0; c < context_count; ++c) forget(at(static_cast<Context>(c), linear));
    for (std::size_t i = first_victim; i < total; ++i) forget(entries_[i]);
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
