// Rig: one device on the bench. It is the device's backplane, keeps what the device does to the outside, and moves time for it.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "machine/board.h"
#include "machine/wires.h"

namespace ramet {

template <class T>
class Rig final : public Backplane {
public:
    explicit Rig(T initial = {}) : device(initial) {}

    u32 read(u64 at, unsigned size = 1) {
        Wires w = wires();
        if constexpr (Wide<T>)
            return device.read(Offset{at}, size, w);
        else
            return device.read(Offset{at}, w);
    }
    void write(u64 at, u32 value, unsigned size = 1) {
        Wires w = wires();
        if constexpr (Wide<T>)
            device.write(Offset{at}, size, value, w);
        else
            device.write(Offset{at}, value, w);
    }

    /// Lets time pass, attending to every deadline on the way.
    void run_to(Cycles end) {
        if constexpr (Timed<T>) {
            while (device.deadline() <= end) {
                now = std::max(now, device.deadline());
                Wires w = wires();
                device.advance(now, w);
            }
        }
        now = std::max(now, end);
    }
    void run_for(u64 cycles) { run_to(Cycles{now + cycles}); }

    Wires wires() { return Wires{*this, now, "device", 0}; }

    void set_line(unsigned, bool level) override {
        if (level && !line) rises.push_back(now);
        line = level;
    }
    void send_interrupt(const InterruptMessage& message) override { messages.push_back(message); }
    void end_of_interrupt(u8 vector) override { ended.push_back(vector); }
    void output(Channel, u8 byte) override { out.push_back(static_cast<char>(byte)); }
    void request(Request request, u32 value) override {
        requests.push_back(request);
        request_value = value;
    }
    void missed(const char*, Offset, bool) override { ++misses; }
    Moved memory_read(GuestPhys from, std::span<u8> to) override { return move(from.value, to.size(), memory, [&](u8* at) { std::copy_n(at, to.size(), to.begin()); }); }
    Moved memory_write(GuestPhys to, std::span<const u8> from) override { return move(to.value, from.size(), memory, [&](u8* at) { std::ranges::copy(from, at); }); }
    Moved disk_read(unsigned, u64 sector, std::span<u8> to) override { return host_fails ? Moved::failed : move(sector * 512, to.size(), disk, [&](u8* at) { std::copy_n(at, to.size(), to.begin()); }); }
    Moved disk_write(unsigned, u64 sector, std::span<const u8> from) override { return host_fails ? Moved::failed : move(sector * 512, from.size(), disk, [&](u8* at) { std::ranges::copy(from, at); }); }

    T device;
    Cycles now;
    bool line = false;
    std::vector<Cycles> rises;
    std::vector<InterruptMessage> messages;
    std::vector<u8> ended;
    std::string out;
    std::vector<Request> requests;
    u32 request_value = 0;
    int misses = 0;
    std::vector<u8> memory = std::vector<u8>(256 << 10);
    std::vector<u8> disk = {};  // of both drives
    bool host_fails = false;

private:
    static Moved move(u64 at, std::size_t size, std::vector<u8>& where, auto copy) {
        if (at > where.size() || size > where.size() - at) return Moved::nowhere;
        copy(where.data() + at);
        return Moved::all;
    }
};

}  // namespace ramet
