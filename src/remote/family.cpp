#include "remote/family.h"

#include <algorithm>
#include <filesystem>

#include <poll.h>

#include "remote/follow.h"
#include "remote/host_time.h"
#include "replay/lineage.h"
#include "replay/paths.h"

namespace ramet {

namespace {

constexpr u64 slice_cycles = 4'000'000;
constexpr u64 attentive_cycles = 100'000;     // while pages come in, for this machine or another one of the thread
constexpr std::size_t fresh_max = 16;         // links that have not said what they want
constexpr u64 fresh_patience_ns = ns_per_s;   // with each of them while others wait
constexpr std::size_t finished_max = 1024;
constexpr u64 idle_poll_ns = 20 * ns_per_ms;  // leases and progress are looked at so often
constexpr u64 known_pages_max = 64 << 10;     // of one machine: 256 MiB are hashed in a fifth of a second

}  // namespace

/// What Outgoing may do with a member, from its own thread.
class Family::Departure final : public Departing {
public:
    Departure(Family& family, std::weak_ptr<Member> member) : family_(family), member_(std::move(member)) {}

    bool at_boundary(std::function<void(Machine&, Recorder&)> step) override {
        return post([step = std::move(step)](Member& member) { step(member.machine(), *member.recorder); });
    }
    std::string obstacle() override {
        auto const member = member_.lock();
        if (!member) return "the machine is gone";
        if (member->state == Member::State::away) return member->name + " is elsewhere now";
        return member->state == Member::State::ended ? member->name + " has ended: " + member->end_text : "";
    }
    Expected<Done> returned(Machine machine, std::vector<LogEntry> entries, Moment last, std::span<const u8> typed) override {
        Expected<Done> followed = Done{};
        std::size_t read = 0;
        for (const LogEntry& entry : entries)
            if (entry.kind == LogEntry::Kind::serial) read += entry.bytes.size();
        bool const there = post([&](Member& member) {
            member.replace(std::move(machine));
            followed = follow(member.machine(), member.recorder.get(), entries, last);
            std::span<const u8> const unread = typed.subspan(std::min(read, typed.size()));
            member.console->arrive({unread.begin(), unread.end()});
            member.state = followed ? Member::State::running : Member::State::ended;
            member.epoch += 2;
        });
        if (!there) return Error{"the machine was stopped meanwhile"};
        return followed;
    }
    std::vector<u8> away() override {
        auto const member = member_.lock();
        if (!member) return {};
        member->state = Member::State::away;
        return member->console->leave();
    }
    void left() override {
        post([](Member& member) {
            member.state = Member::State::ended;
            member.end_text = "migrated";
            member.left = true;
            member.console->end();
        });
    }

private:
    bool post(Member::Step step) {
        auto member = member_.lock();
        if (!member) return false;
        auto done = member->post(std::move(step));
        member.reset();  // so that its end is not ours to wait for
        family_.wake();
        return done.get();
    }
    Family& family_;
    std::weak_ptr<Member> member_;
};

Family::Family(std::string log_directory) : log_directory_(std::move(log_directory)) {
    thread_ = std::thread{[this] { run(); }};
}

Family::~Family() {
    stop();
    thread_.join();
}

void Family::wake() {
    *interrupt_ = true;
    wakeup_->signal();
}

void Family::stop() {
    stop_ = true;
    wake();
}

void Family::do_questions() {
    std::vector<std::function<void()>> questions;
    {
        std::lock_guard const lock(mutex_);
        questions = std::exchange(questions_, {});
    }
    for (auto const& question : questions) question();
}

void Family::run() {
    while (!stop_) {
        *interrupt_ = false;
        do_questions();
        accept();
        serve_links();
        run_members();
        if (stop_when_empty_ && none_lives())
            for (Move& move : moves_) move.outgoing->hurry();
        if (stop_when_empty_ && empty()) break;
        wait();
    }
    for (Move& move : moves_) move.outgoing->abandon();
    {
        std::lock_guard const lock(mutex_);
        stopped_ = true;
    }
    do_questions();
    for (const auto& member : members_) member->console->end();
    std::list<Move> moves = std::exchange(moves_, {});
    std::list<std::shared_ptr<Member>> members = std::exchange(members_, {});
    members.clear();  // moves that wait for a boundary go on now, and find no machine
    moves.clear();
}

bool Family::none_lives() const {
    return std::all_of(members_.begin(), members_.end(), [](const auto& member) { return member->state == Member::State::ended; });
}

bool Family::empty() const {
    bool const all_moved = std::all_of(moves_.begin(), moves_.end(), [](const Move& move) { return move.outgoing->over(); });
    return none_lives() && all_moved && fresh_.empty() && coming_.empty() && relays_.empty();
}

void Family::run_members() {
    bool const pages_come = std::any_of(members_.begin(), members_.end(), [](const auto& m) { return m->waits() || (m->pages_from && m->pages_from->connected()); });
    for (const auto& member : members_) {
        member->do_steps();
        member->run(pages_come ? attentive_cycles : slice_cycles);
        member->do_steps();
        settle(*member);
    }
}

/// What follows an arrival, and the last page.
void Family::settle(Member& member) {
    if (member.incoming && !member.incoming->failed()) welcome(member, *member.incoming);
    if (!member.pages_from || member.waits() || !member.recorder) return;
    bool const all_here = member.incoming ? member.incoming->finished() : member.pages_from->pager().complete();
    if (!all_here) return;
    member.machine().memory().adopt_all(member.pages_from->pager().store());
    member.recorder->set_digests(true);
    if (member.incoming) member.recorder->remove_tap(0);
    member.incoming.reset();
    member.pages_from.reset();
}

/// The logs are written before pages are taken that could let the source go: while the machine waits for its first one.
void Family::welcome(Member& member, Incoming& incoming) {
    if (incoming.fenced() && member.state != Member::State::ended) {
        member.state = Member::State::ended;
        member.end_text = "taken back by its source";
        member.console->end();
        if (member.waits()) member.close();
    }
    if (member.first_run_at_ns != 0) incoming.has_run();
    if (!member.recorder && member.state != Member::State::ended) {
        auto const record = [&]() -> Expected<Done> {
            LogHeader const header = TRY(incoming.keep_logs(log_directory_));
            member.recorder = std::make_unique<Recorder>(TRY(Recorder::create(new_log_path(member.name), header)));
            member.recorder->set_digests(false);
            member.recorder->add_tap([source = member.incoming](const LogEntry& entry) { if (entry.is_input()) source->note(entry); });
            return Done{};
        }();
        if (!record) {
            member.state = Member::State::ended;
            member.end_text = "recording failed: " + record.error().text;
            member.console->end();
            incoming.refuse_for_good(member.end_text);
        }
    }
}

void Family::serve_links() {
    for (auto fresh = fresh_.begin(); fresh != fresh_.end();) fresh = greet_fresh(*fresh) ? std::next(fresh) : fresh_.erase(fresh);
    for (auto coming = coming_.begin(); coming != coming_.end();) {
        auto const held = *coming;
        held->pump();
        bool const gone = held->failed() || std::any_of(members_.begin(), members_.end(), [&](const auto& m) { return m->incoming == held; });
        coming = gone ? coming_.erase(coming) : std::next(coming);
    }
    std::erase_if(relays_, [](Relay& relay) { return !relay.pump(); });
    serve_sessions();
    for (Move& move : moves_) relay(move);
}

void Family::serve_sessions() {
    std::erase_if(sessions_, [&](const std::weak_ptr<Incoming>& held) {
        auto const session = held.lock();
        if (!session) return true;
        session->pump();
        if (!session->finished()) return false;
        if (session->pager().total() <= known_pages_max) to_know_.push_back(session->pager().store().fork());
        finished_.push_back({session->proposal().session, session->epoch()});
        if (finished_.size() > finished_max) finished_.pop_front();
        return true;
    });
}

/// Who was forked to another host while pages lacked lacks them as well.
void Family::relay(Move& move) {
    if (move.outgoing->over()) move.pages_from.reset();
    auto const server = move.pages_from ? move.outgoing->server() : nullptr;
    if (!server) return;
    Pager& pager = move.pages_from->pager();
    std::vector<Frame> const lacking = server->lacking();
    for (Frame const frame : lacking) pager.want(frame);
    bool const some_came = std::any_of(lacking.begin(), lacking.end(), [&](Frame frame) { return !pager.store().is_absent(frame); });
    bool const supplied = (some_came || pager.complete()) && server->supply(pager.store());
    if (supplied && pager.complete()) move.pages_from.reset();
}

void Family::accept() {
    if (!callers_ && fresh_.size() < fresh_max) return;
    for (Listener& listener : listeners_)
        for (;;) {
            bool const full = fresh_.size() == fresh_max;
            if (full && host_ns() - fresh_.front().since_ns < fresh_patience_ns) return;  // they wait outside
            auto link = listener.accept();
            if (!link || *link == nullptr) break;
            if (full) fresh_.pop_front();  // who has been silent longest makes room
            fresh_.push_back({std::make_unique<Link>(*std::move(link)), host_ns()});
        }
}

bool Family::greet_fresh(Fresh& fresh) {
    auto const look = [&]() -> Expected<bool> {
        for (;;) {
            TRY(fresh.link->flush());
            auto const message = TRY(fresh.link->receive());
            if (!message) {
                if (host_ns() - fresh.since_ns > patience_ns) return Error{"no proposal came in 10 seconds"};
                return true;
            }
            if (!fresh.greeted) {
                if (!is(*message, MessageKind::hello)) return Error{"a greeting is due first"};
                send(*fresh.link, MessageKind::hello, Hello{}.bytes());
                TRY(common_version(TRY(Hello::parse(message->bytes))));
                fresh.greeted = true;
                continue;
            }
            if (is(*message, MessageKind::propose)) {
                TRY(propose(std::move(fresh.link), TRY(Propose::parse(message->bytes))));
                return false;
            }
            if (!is(*message, MessageKind::resume)) return Error{"a proposal is due"};
            TRY(resume(std::move(fresh.link), TRY(Resume::parse(message->bytes))));
            return false;
        }
    };
    auto const going_on = look();
    if (!going_on && fresh.link) refuse(*fresh.link, going_on.error().text);
    return going_on && *going_on;
}

namespace {

/// The images of a machine that comes from a peer, who learns nothing about files here but that they are not what it says.
Expected<DiskImages> disks_here(const LogHeader& header) {
    auto images = open_disks(header, {}, "disk");
    if (images) return images;
    std::string text = "this host lacks the machine's disk images:";
    for (std::size_t i = 0; i < header.disks.size(); ++i) text += " " + header.configuration.disks[i].file + " of SHA-256 " + header.disks[i].hex();
    return Error{text + "; put them there"};
}

}  // namespace

Expected<Done> Family::propose(std::unique_ptr<Link> link, Propose proposal) {
    DiskImages disks;
    auto const fits = [&]() -> Expected<Done> {
        TRY(check_new_name(proposal.name));
        TRY(check_configuration(proposal.header.configuration));
        if (proposal.header.schema != state_schema_digest())
            return Error{"the machine's state has the schema " + proposal.header.schema.hex() + "; this host's has " + state_schema_digest().hex() + ": use the same release"};
        disks = TRY(disks_here(proposal.header));
        return Done{};
    }();
    if (!fits) {
        refuse(*link, fits.error().text);
        return Done{};
    }
    for (Memory& memory : to_know_) known_->add(std::move(memory));
    to_know_.clear();
    std::string const name = proposal.name;
    auto const holder = std::make_shared<std::weak_ptr<Incoming>>();
    auto const incoming = std::make_shared<Incoming>(std::move(link), std::move(proposal), pool_, known_, std::move(disks),
                                                     [this, name, holder](Machine machine) { arrived(name, holder->lock(), std::move(machine)); });
    *holder = incoming;
    coming_.push_back(incoming);
    return Done{};
}

Expected<Done> Family::resume(std::unique_ptr<Link> link, const Resume& resume) {
    for (const auto& held : sessions_) {
        auto const session = held.lock();
        if (!session || session->proposal().session != resume.session) continue;
        session->resume(std::move(link), resume.epoch);
        return Done{};
    }
    for (const Resume& known : finished_)
        if (known.session == resume.session && known.epoch == resume.epoch) {
            send(*link, MessageKind::done, number_bytes(resume.epoch));
            return link->flush();
        }
    bool const relays = !sibling_socket_.empty() && members_.empty() && relays_.empty();  // who has machines does not wait for others, and nobody asks in a circle
    if (!relays) {
        refuse(*link, "no such session is here (any more)");
        return Done{};
    }
    relays_.push_back(TRY(Relay::to_sibling(std::move(link), resume, std::filesystem::path{sibling_socket_}.parent_path(), sibling_socket_)));
    return Done{};
}

void Family::arrived(const std::string& name, std::shared_ptr<Incoming> incoming, Machine machine) {
    std::erase_if(members_, [&](const auto& member) { return member->name == name; });  // one that has ended
    auto const member = std::make_shared<Member>(name, std::move(machine), interrupt_);
    member->epoch = incoming->epoch();
    member->console->arrive(incoming->take_typed());
    sessions_.push_back(incoming);
    member->incoming = member->pages_from = std::move(incoming);
    members_.push_back(member);
}

void Family::wait() {
    u64 wakes = ~u64{0};
    for (const auto& member : members_) wakes = std::min(wakes, member->wakes_ns());
    std::vector<pollfd> fds = {{.fd = wakeup_->fd(), .events = POLLIN, .revents = 0}};
    auto const add_link = [&](Link* link) {
        if (link == nullptr) return;
        fds.push_back({.fd = link->read_fd(), .events = POLLIN, .revents = 0});
        if (link->unsent() != 0) fds.push_back({.fd = link->write_fd(), .events = POLLOUT, .revents = 0});
    };
    for (const Listener& listener : listeners_)
        fds.push_back({.fd = fresh_.size() < fresh_max ? listener.fd() : -1, .events = POLLIN, .revents = 0});
    for (const Fresh& fresh : fresh_) add_link(fresh.link.get());
    for (const auto& coming : coming_) add_link(coming->link());
    for (Relay& relay : relays_)
        for (Link* const link : {relay.source(), relay.sibling()}) add_link(link);
    for (const auto& held : sessions_)
        if (auto const session = held.lock()) add_link(session->link());
    u64 const now = host_ns();
    bool const due = std::any_of(coming_.begin(), coming_.end(), [](const auto& coming) { return coming->go_is_due(); });
    if (due) std::this_thread::yield();  // instead of sleep: being woken takes the host up to some milliseconds
    bool const looks = !fresh_.empty() || !sessions_.empty();
    u64 const limit = due || wakes <= now ? 0 : std::min(wakes - now, looks ? idle_poll_ns : 10 * ns_per_s);
    timespec const timeout{.tv_sec = static_cast<time_t>(limit / ns_per_s), .tv_nsec = static_cast<long>(limit % ns_per_s)};
    callers_ = false;
    if (ppoll(fds.data(), fds.size(), &timeout, nullptr) <= 0) return;
    if (fds[0].revents != 0) wakeup_->clear();
    callers_ = std::any_of(fds.begin() + 1, fds.begin() + 1 + static_cast<std::ptrdiff_t>(listeners_.size()), [](const pollfd& fd) { return fd.revents != 0; });
}

Expected<u64> Family::move(const std::string& name, MoveOptions options) {
    return ask<Expected<u64>>([&]() -> Expected<u64> {
        Member* const parent = TRY(need(name));
        if (parent->state == Member::State::away) return Error{name + " is elsewhere; move it there"};
        if (options.kind == MoveKind::migrate && parent->pages_from) return Error{name + " has not arrived completely; wait until `ramet ps` shows no lacking pages"};
        if (options.name.empty()) options.name = name;
        for (const Move& move : moves_)
            if (move.machine == name && move.outgoing->server() && options.serve.first.empty()) options.serve.first = move.outgoing->server()->asked();
        auto const shared = *std::find_if(members_.begin(), members_.end(), [&](const auto& m) { return m.get() == parent; });
        if (options.kind == MoveKind::migrate) options.serve.release = true;
        auto departure = std::make_shared<Departure>(*this, shared);
        moves_.push_back({next_move_, name, shared, parent->pages_from, std::make_unique<Outgoing>(std::move(options), std::move(departure), wakeup_, parent->epoch)});
        return next_move_++;
    });
}

}  // namespace ramet
