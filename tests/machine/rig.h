// Rig: one device on the bench. It is the device's backplane, keeps what the device does to the outside, and moves time for it.
#pragma once

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
};

}  // namespace ramet
