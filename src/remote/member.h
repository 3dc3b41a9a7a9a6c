// Member: one machine of a family: its run loop on a fiber, its console, its log, and where it comes from and goes to. It runs in slices; between two
// slices it is at a boundary, where inputs enter and others may look at it. In the middle of a slice it may wait for a page, and only it.
//
// Idle time is the wall clock's: a halted guest costs nothing and wakes when its next deadline has come.
// Threads: the family's, but for post().
// Tests: tests/remote/family_test.cpp, migration_test.cpp.
#pragma once

#include <future>

#include "base/fiber.h"
#include "remote/console_buffer.h"
#include "remote/incoming.h"
#include "remote/outgoing.h"
#include "remote/pace.h"

namespace ramet {

class Member final : private Ports {
public:
    enum class State : u8 { running, paused, away, ended };

    Member(std::string name, Machine machine, std::shared_ptr<std::atomic<bool>> interrupt);
    ~Member() override;

    /// Runs one slice, or the rest of one that waited for a page. Nothing if it may not run now.
    void run(u64 cycles);
    bool runnable() const;
    /// When it wants to run again; 0 for now, the largest value for when something happens.
    u64 wakes_ns() const;
    /// In the middle of an access, for a page or for a write to go out.
    bool waits() const { return !at_boundary_; }

    /// `step` is called at the next boundary; false when there will be none.
    using Step = std::function<void(Member&)>;
    std::future<bool> post(Step step);
    void do_steps();
    /// There will be no boundary any more: whoever waits for one is told.
    void close();

    std::string name;
    State state = State::running;
    std::string end_text;                     // why it ended
    bool left = false;                        // for another host: what is here has no memory
    std::shared_ptr<Incoming> incoming;       // how it came here, while its memory is not complete
    std::shared_ptr<Incoming> pages_from;     // while its memory is not complete: that, or how the machine came that it was forked from here
    std::unique_ptr<Recorder> recorder;       // before an input is applied
    std::shared_ptr<ConsoleBuffer> console = std::make_shared<ConsoleBuffer>();
    u64 epoch = 1;
    u64 first_run_at_ns = 0;                  // by this host's clock

    Machine& machine() { return *machine_; }
    /// Another machine in its place: one that came back.
    void replace(Machine machine);

private:
    bool output(Channel channel, u8 byte) override;
    void loop();
    void after_slice();
    void offer_input();

    std::unique_ptr<Machine> machine_;
    std::shared_ptr<std::atomic<bool>> interrupt_;
    std::unique_ptr<Fiber> fiber_;
    Expected<RunResult> result_ = RunResult{};
    Cycles slice_end_ = Cycles::never();
    Cycles slice_from_;
    u64 slice_from_ns_ = 0;
    Pace pace_;
    std::string shown_;
    u64 idle_since_ns_ = 0;  // 0: not idle
    u64 wake_ns_ = 0;
    bool at_boundary_ = true;

    std::mutex mutex_;
    std::vector<std::pair<Step, std::promise<bool>>> steps_;
    bool closed_ = false;
};

const char* state_text(Member::State state);

}  // namespace ramet
