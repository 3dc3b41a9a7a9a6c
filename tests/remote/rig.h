// A source and a child in one process: a server on a thread of its own, a pager on the test's thread, and a link between them.
#pragma once

#include <atomic>
#include <thread>

#include "../replay/machines.h"
#include "base/bytes.h"
#include "remote/page_server.h"
#include "remote/pager.h"

namespace ramet {

/// For ever: adds one to a word in each of `pages` pages from 2 MiB on, mixes what it finds into EBX, and prints EBX's low byte after each round.
inline Bytes sweep_code(u32 pages) {
    Bytes code = {0x31, 0xdb,                    // xor ebx, ebx
                  0xbf, 0,    0,    0x20, 0,     // mov edi, 200000h
                  0xff, 0x07,                    // inc dword [edi]
                  0x03, 0x1f,                    // add ebx, [edi]
                  0xc1, 0xc3, 0x05,              // rol ebx, 5
                  0x81, 0xc7, 0,    0x10, 0, 0,  // add edi, 4096
                  0x81, 0xff, 0,    0,    0, 0,  // cmp edi, end
                  0x72, 0xeb,                    // jb to the inc
                  0x88, 0xd8, 0xe6, 0xe9,        // mov al, bl; out E9h, al
                  0xeb, 0xde};                   // jmp to the mov edi
    store_le(&code[22], u32{0x200000} + pages * u32{page_size});
    return code;
}

inline Subject sweep_subject(const Directory& directory, u32 pages, u64 memory_bytes = u64{8} << 20) {
    write_file(directory / "sweep", multiboot_kernel(sweep_code(pages)));
    Subject subject;
    subject.configuration.kernel = directory / "sweep";
    subject.configuration.memory_bytes = memory_bytes;
    subject.images = must(read_images(subject.configuration));
    return subject;
}

inline void run(Machine& machine, u64 instructions) {
    NullPorts ports;
    Position const to = machine.position() + instructions;
    RunResult const result = machine.run({.position = to}, ports);
    ASSERT_EQ(result.reason, StopReason::position) << result.report;
}

/// Serves `frozen` to a pager of another pool.
class Bridge {
public:
    explicit Bridge(Machine& parent, ServeOptions options = {}, std::shared_ptr<KnownPages> known = nullptr, PageServer::Push push = PageServer::Push::at_once)
        : server(std::make_shared<PageServer>(parent.memory().ranges(), std::move(options))),
          pager(std::make_shared<Pager>(pool, parent.memory().ranges(), std::move(known))) {
        auto ends = must(make_byte_link_pair());
        source_.emplace(std::move(ends.first));
        target_.emplace(std::move(ends.second));
        server->start(std::move(parent.fork().memory()), push);
        pager->connect(&*target_);
        pager->set_pump([this] { return pump(100'000'000); });
        thread_ = std::thread{[this] { result = server->serve(*source_, [](const WireFrame&) -> Expected<bool> { return false; }); }};
    }
    ~Bridge() {
        server->stop();
        thread_.join();
        pager->set_pump({});
    }

    /// The child as of the fork.
    Machine child(const Machine& parent) { return Machine::restore(parent.state(), Memory{pool, parent.memory().ranges(), pager}); }
    Machine child(const MachineState& state, const Machine& parent) { return Machine::restore(state, Memory{pool, parent.memory().ranges(), pager}); }

    /// Handles what is there, waiting for something at most this long.
    bool pump(u64 wait_ns) {
        if (!target_->flush()) return false;
        target_->wait(wait_ns);
        for (;;) {
            auto const message = target_->receive();
            if (!message) return false;
            if (!*message) break;
            auto const handled = pager->handle(**message);
            if (!handled) {
                ADD_FAILURE() << handled.error().text;
                return false;
            }
        }
        return static_cast<bool>(target_->flush());
    }
    void pump_all() {
        while (!pager->complete() && pump(100'000'000)) {}
    }

    std::shared_ptr<PagePool> pool = std::make_shared<PagePool>();
    std::shared_ptr<PageServer> server;
    std::shared_ptr<Pager> pager;
    Expected<Done> result = Done{};

private:
    std::optional<Link> source_;
    std::optional<Link> target_;
    std::thread thread_;
};

}  // namespace ramet
