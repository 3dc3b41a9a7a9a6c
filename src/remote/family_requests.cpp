// What other threads ask a family for, by name. Each request is done on the family's thread, between two slices.
#include <algorithm>
#include <filesystem>

#include "remote/family.h"
#include "remote/follow.h"
#include "remote/host_time.h"

namespace ramet {

Member* Family::find(const std::string& name) {
    for (const auto& member : members_)
        if (member->name == name) return member.get();
    return nullptr;
}

Expected<Member*> Family::need(const std::string& name) {
    Member* const member = find(name);
    if (member == nullptr) return Error{"there is no machine \"" + name + "\" here; `ramet ps` lists them"};
    if (member->state == Member::State::ended) return Error{name + " has ended: " + member->end_text};
    return member;
}

Expected<Done> Family::check_new_name(const std::string& name) {
    constexpr const char* letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    if (name.empty() || name.size() > Propose::name_bytes_max || name.find_first_not_of(letters) != std::string::npos || name[0] == '.' || name[0] == '-')
        return Error{"\"" + name + "\" is no name: 1 to 64 letters, digits, '-', '_' and '.', beginning with a letter or digit"};
    const Member* const present = find(name);
    bool const coming = std::any_of(coming_.begin(), coming_.end(), [&](const auto& c) { return !c->failed() && c->proposal().name == name; });
    if (coming || (present != nullptr && present->state != Member::State::ended)) return Error{"there is a machine \"" + name + "\" already; choose another --name"};
    return Done{};
}

Expected<Done> Family::add(const std::string& name, Machine machine, const LogHeader& header, const std::string& log_path) {
    return ask<Expected<Done>>([&]() -> Expected<Done> {
        TRY(check_new_name(name));
        auto const member = std::make_shared<Member>(name, std::move(machine), interrupt_);
        member->recorder = std::make_unique<Recorder>(TRY(Recorder::create(log_path, header)));
        std::erase_if(members_, [&](const auto& m) { return m->name == name; });  // one that has ended
        members_.push_back(member);
        return Done{};
    });
}

Expected<Address> Family::listen(const Address& address, const std::string& key_file) {
    return ask<Expected<Address>>([&]() -> Expected<Address> {
        listeners_.push_back(TRY(Listener::open(address, key_file)));
        return listeners_.back().address();
    });
}

void Family::receive(std::unique_ptr<ByteLink> link) {
    static_cast<void>(ask<Expected<Done>>([&]() -> Expected<Done> {
        fresh_.push_back({std::make_unique<Link>(std::move(link)), host_ns()});
        return Done{};
    }));
}

Expected<Done> Family::join_siblings(const std::string& path) {
    Address const at = TRY(listen(TRY(Address::parse("unix:" + path + ".link"))));
    return ask<Expected<Done>>([&]() -> Expected<Done> {
        sibling_socket_ = at.path;
        return Done{};
    });
}

Expected<Done> Family::know(std::shared_ptr<const Snapshot> snapshot) {
    return ask<Expected<Done>>([&] { return known_->add(snapshot, pool_); });
}

namespace {

void add_stats(MemberInfo& to, const PagerStats& stats) {
    to.asked_pages = stats.asked;
    to.received_pages = stats.received;
    to.stalled_ns = stats.stalled_ns;
    to.stall_max_ns = stats.stall_max_ns;
    to.stall_p50_ns = stats.stall_p50_ns;
}

}  // namespace

MemberInfo Family::info(Member& member) {
    Machine& machine = member.machine();
    MemberInfo made{.name = member.name, .state = state_text(member.state), .detail = member.end_text, .position = machine.position().value,
                    .cycles = machine.cycles().value, .memory_bytes = machine.memory().byte_count(), .private_bytes = machine.private_bytes(), .first_run_at_ns = member.first_run_at_ns, .epoch = member.epoch,
                    .log = member.recorder ? member.recorder->writer().path() : ""};
    if (!member.pages_from) return made;
    made.lacking_pages = member.pages_from->pager().absent();
    if (member.incoming) add_stats(made, member.incoming->pager().stats());
    if (member.state == Member::State::ended) return made;
    if (member.waits()) made.detail = member.pages_from->connected() ? "waits for a page" : "waits for a page; no link to its source: " + member.pages_from->error();
    else if (member.incoming && !member.incoming->may_run()) made.detail = "waits for its source: " + member.incoming->error();
    return made;
}

std::vector<MemberInfo> Family::members() {
    auto const found = ask<Expected<std::vector<MemberInfo>>>([&]() -> Expected<std::vector<MemberInfo>> {
        std::vector<MemberInfo> infos;
        for (const auto& member : members_) infos.push_back(info(*member));
        return infos;
    });
    return found ? *found : std::vector<MemberInfo>{};
}

std::vector<MoveInfo> Family::moves() {
    auto const found = ask<Expected<std::vector<MoveInfo>>>([&]() -> Expected<std::vector<MoveInfo>> {
        std::vector<MoveInfo> infos;
        for (const Move& move : moves_) {
            const MoveOptions& options = move.outgoing->options();
            infos.push_back({move.number, move.machine, options.to.text(), options.kind == MoveKind::fork ? "fork" : "migrate", move.outgoing->report()});
        }
        return infos;
    });
    return found ? *found : std::vector<MoveInfo>{};
}

Expected<Done> Family::pause(const std::string& name) {
    return ask<Expected<Done>>([&]() -> Expected<Done> {
        Member* const member = TRY(need(name));
        if (member->state == Member::State::away) return Error{name + " is elsewhere; pause it there"};
        member->state = Member::State::paused;
        return Done{};
    });
}

Expected<Done> Family::resume(const std::string& name) {
    return ask<Expected<Done>>([&]() -> Expected<Done> {
        Member* const member = TRY(need(name));
        if (member->state == Member::State::away) return Error{name + " was migrated; `ramet resume " + name + " --take-back` fetches it back"};
        member->state = Member::State::running;
        return Done{};
    });
}

Expected<Done> Family::take_back(const std::string& name) {
    return ask<Expected<Done>>([&]() -> Expected<Done> {
        TRY(need(name));
        for (Move& move : moves_)
            if (move.machine == name && move.outgoing->options().kind == MoveKind::migrate && !move.outgoing->over()) {
                move.outgoing->take_back();
                return Done{};
            }
        return Error{name + " is not on its way to another host"};
    });
}

/// Making the pages takes as long as the machine has run, and happens on the caller's thread: the other machines go on.
Expected<Done> Family::take_over(const std::string& name) {
    auto const alone = [&]() -> Expected<std::shared_ptr<Incoming>> {
        Member* const member = TRY(need(name));
        if (!member->pages_from) return Error{name + " has all of its memory already; `ramet resume " + name + "` is enough"};
        if (member->pages_from->connected()) return Error{name + "'s source is there; it can send the pages itself"};
        return member->pages_from;
    };
    std::weak_ptr<Incoming> asked;  // owned by the family's thread
    auto const missing = ask<Expected<Incoming::Missing>>([&]() -> Expected<Incoming::Missing> {
        auto const incoming = TRY(alone());
        asked = incoming;
        return incoming->missing(log_directory_);
    });
    if (!missing) return missing.error();
    std::optional<Machine> made;
    if (!missing->log.empty()) made.emplace(TRY(rebuild(missing->log, missing->at, missing->pool)));
    return ask<Expected<Done>>([&]() -> Expected<Done> {
        auto const incoming = TRY(alone());
        if (incoming != asked.lock()) return Error{name + " is another machine now"};
        return incoming->take_over(std::move(made));
    });
}

Expected<Done> Family::remove(const std::string& name) {
    return ask<Expected<Done>>([&]() -> Expected<Done> {
        Member* const member = find(name);
        if (member == nullptr) return Error{"there is no machine \"" + name + "\" here; `ramet ps` lists them"};
        if (member->state == Member::State::away)
            return Error{name + " is on its way to another host, which gets its memory from here; wait, or fetch it back with `ramet resume " + name + " --take-back`"};
        if (member->incoming && member->incoming->is_arriving())
            return Error{name + " has not arrived completely; wait until `ramet ps` shows no lacking pages, or fetch it back at its source with `ramet resume --take-back`"};
        if (member->recorder && !member->waits() && !member->pages_from && !member->left)
            TRY(member->recorder->finish(member->machine(), {StopReason::interrupted}));
        std::erase_if(members_, [&](const auto& m) { return m.get() == member; });
        return Done{};
    });
}

std::string Family::new_log_path(const std::string& name) const {
    std::string path = log_directory_ + "/" + name + ".rlog";
    std::error_code error;  // shows when the log is created
    for (u64 number = 2; std::filesystem::exists(path, error); ++number) path = log_directory_ + "/" + name + "." + std::to_string(number) + ".rlog";
    return path;
}

Expected<Done> Family::fork(const std::string& name, const std::string& child) {
    return ask<Expected<Done>>([&]() -> Expected<Done> {
        Member* const parent = TRY(need(name));
        TRY(check_new_name(child));
        if (parent->state == Member::State::away) return Error{name + " is elsewhere; fork it there"};
        if (parent->waits() || !parent->recorder) return Error{name + " waits for a page; try again in a moment"};
        std::string const path = new_log_path(child);
        std::erase_if(members_, [&](const auto& m) { return m->name == child; });
        auto const made = std::make_shared<Member>(child, parent->machine().fork(), interrupt_);
        TRY(parent->recorder->flush());
        made->recorder = std::make_unique<Recorder>(TRY(Recorder::create(path, parent->recorder->fork_header_without_digest(made->machine(), path))));
        made->pages_from = parent->pages_from;
        made->recorder->set_digests(!made->pages_from);
        members_.push_back(made);
        return Done{};
    });
}

Expected<std::string> Family::digest(const std::string& name) {
    return ask<Expected<std::string>>([&]() -> Expected<std::string> {
        Member* const member = find(name);
        if (member == nullptr) return Error{"there is no machine \"" + name + "\" here"};
        if (member->waits() || member->pages_from) return Error{name + " lacks pages; its digest needs them all"};
        return TRY(member->machine().whole_digest()).hex();
    });
}

Expected<std::shared_ptr<ConsoleBuffer>> Family::console(const std::string& name) {
    return ask<Expected<std::shared_ptr<ConsoleBuffer>>>([&]() -> Expected<std::shared_ptr<ConsoleBuffer>> {
        Member* const member = find(name);
        if (member == nullptr) return Error{"there is no machine \"" + name + "\" here; `ramet ps` lists them"};
        return member->console;
    });
}

}  // namespace ramet
