// Family: the machines of one process: a parent and its children, and what arrives from other hosts. One thread runs them all in turn, and serves the
// links of those that lack pages; what goes to another host has a thread of its own (outgoing.h).
//
// Other threads (the control server's) ask for things by name. Each request is done between two slices, and answered then.
// Tests: tests/remote/family_test.cpp, migration_test.cpp.
#pragma once

#include <list>
#include <thread>

#include "remote/member.h"
#include "remote/relay.h"

namespace ramet {

struct MemberInfo {
    std::string name = {};
    std::string state = {};
    std::string detail = {};  // why it ended, or what it waits for
    u64 position = 0;
    u64 cycles = 0;
    u64 memory_bytes = 0;
    u64 private_bytes = 0;
    u64 lacking_pages = 0;
    u64 asked_pages = 0;    // it had to wait for so many
    u64 received_pages = 0;
    u64 stalled_ns = 0;
    u64 stall_max_ns = 0;
    u64 stall_p50_ns = 0;
    u64 first_run_at_ns = 0;
    u64 epoch = 0;
    std::string log = {};
};

struct MoveInfo {
    u64 number = 0;
    std::string machine = {};
    std::string to = {};
    std::string kind = {};  // "fork" or "migrate"
    Outgoing::Report report = {};
};

class Family {
public:
    /// Logs go to this directory, which exists.
    explicit Family(std::string log_directory);
    ~Family();

    /// A machine of this process. Names are unique, 1 to 64 letters, digits, '-', '_' and '.'.
    Expected<Done> add(const std::string& name, Machine machine, const LogHeader& header, const std::string& log_path);
    /// Machines from elsewhere are taken there.
    Expected<Address> listen(const Address& address, const std::string& key_file = {});
    /// One link, made already.
    void receive(std::unique_ptr<ByteLink> link);
    /// Sources that call again may mean another process of this host: this one listens at PATH.link, and asks the others of that directory.
    Expected<Done> join_siblings(const std::string& path);
    /// Pages that this snapshot has need not be sent here.
    Expected<Done> know(std::shared_ptr<const Snapshot> snapshot);
    /// Ends when no machine is left and none is coming, if asked to; children of machines that have ended get all of their memory before.
    void stop_when_empty() { stop_when_empty_ = true; }
    bool stopped() const { return stopped_; }
    void stop();

    std::vector<MemberInfo> members();
    std::vector<MoveInfo> moves();
    Expected<Done> pause(const std::string& name);
    Expected<Done> resume(const std::string& name);
    /// The machine comes back from where it was migrated to.
    Expected<Done> take_back(const std::string& name);
    /// The machine's source is gone for good: it goes on here with what its log can make.
    Expected<Done> take_over(const std::string& name);
    Expected<Done> remove(const std::string& name);
    Expected<Done> fork(const std::string& name, const std::string& child);
    /// The number of the move.
    Expected<u64> move(const std::string& name, MoveOptions options);
    Expected<std::string> digest(const std::string& name);
    /// Also of a machine that has ended, until its process ends.
    Expected<std::shared_ptr<ConsoleBuffer>> console(const std::string& name);
    void wake();

private:
    struct Fresh {  // a link whose peer has not said yet what it wants
        std::unique_ptr<Link> link;
        u64 since_ns = 0;
        bool greeted = false;
    };
    struct Move {
        u64 number = 0;
        std::string machine;
        std::weak_ptr<Member> parent;  // another one may have its name by now
        std::shared_ptr<Incoming> pages_from;  // of the parent, which may be gone by now: what it lacked when it was forked
        std::unique_ptr<Outgoing> outgoing;
    };
    class Departure;

    template <class T>
    T ask(std::function<T()> question);
    void run();
    void do_questions();
    void run_members();
    void serve_links();
    void accept();
    /// False: the link was handed on, or is no use.
    bool greet_fresh(Fresh& fresh);
    Expected<Done> propose(std::unique_ptr<Link> link, Propose proposal);
    Expected<Done> resume(std::unique_ptr<Link> link, const Resume& resume);
    bool none_lives() const;
    bool empty() const;
    void arrived(const std::string& name, std::shared_ptr<Incoming> incoming, Machine machine);
    void settle(Member& member);
    void welcome(Member& member, Incoming& incoming);
    void serve_sessions();
    void relay(Move& move);
    void wait();
    Member* find(const std::string& name);
    Expected<Member*> need(const std::string& name);
    Expected<Done> check_new_name(const std::string& name);
    MemberInfo info(Member& member);
    /// NAME.rlog, or NAME.2.rlog and so on: the log of an earlier machine of that name stays, because others may descend from it.
    std::string new_log_path(const std::string& name) const;

    std::string const log_directory_;
    std::shared_ptr<PagePool> pool_ = std::make_shared<PagePool>();
    std::shared_ptr<Wakeup> wakeup_ = std::make_shared<Wakeup>();
    std::shared_ptr<std::atomic<bool>> interrupt_ = std::make_shared<std::atomic<bool>>(false);
    std::list<std::shared_ptr<Member>> members_;
    std::list<std::shared_ptr<Incoming>> coming_;  // proposed, not arrived
    std::vector<std::weak_ptr<Incoming>> sessions_;  // arrived, not finished; those own them who need their pages
    std::list<Fresh> fresh_;
    std::deque<Resume> finished_;                  // sessions whose end their source may not have heard of
    std::list<Relay> relays_;
    std::string sibling_socket_;                   // ours, among those of the siblings
    std::list<Move> moves_;
    std::vector<Listener> listeners_;
    bool callers_ = false;  // somebody knocks
    std::shared_ptr<KnownPages> known_ = std::make_shared<KnownPages>();
    std::vector<Memory> to_know_;
    u64 next_move_ = 1;
    std::atomic<bool> stop_when_empty_ = false;
    std::atomic<bool> stop_ = false;
    std::atomic<bool> stopped_ = false;

    std::mutex mutex_;
    std::vector<std::function<void()>> questions_;
    std::thread thread_;
};

/// Asks the family's thread, and waits for its answer.
template <class T>
T Family::ask(std::function<T()> question) {
    if (std::this_thread::get_id() == thread_.get_id()) return question();
    std::promise<T> promise;
    auto future = promise.get_future();
    {
        std::lock_guard const lock(mutex_);
        if (stopped_) return Error{"this process ends"};
        questions_.emplace_back([&] { promise.set_value(question()); });
    }
    wake();
    return future.get();
}

}  // namespace ramet
