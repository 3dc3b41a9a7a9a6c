#include "lab/state.h"

#include <filesystem>

#include "replay/image_hashes.h"
#include "replay/log_writer.h"
#include "replay/paths.h"

namespace ramet {

namespace {

constexpr const char* key_version = "state 1";  // of the scripts' meaning

std::string hash_text(const std::string& text) {
    std::vector<u8> const bytes{text.begin(), text.end()};
    return sha256_of(bytes).hex().substr(0, State::key_digits);
}

Expected<std::shared_ptr<const Symbols>> symbols_of(const Images& images, const std::string& path) {
    if (!path.empty()) return std::shared_ptr<const Symbols>{std::make_shared<Symbols>(TRY(Symbols::read(path)))};
    auto found = Symbols::parse(images.kernel.bytes, images.kernel.name);
    if (!found) return std::shared_ptr<const Symbols>{};  // most kernel images have none
    return std::shared_ptr<const Symbols>{std::make_shared<Symbols>(*std::move(found))};
}

Expected<std::vector<LogEntry>> all_entries(const InputLog& log) {
    std::vector<LogEntry> entries;
    for (std::size_t i = 0; i < log.frame_count(); ++i) {
        std::vector<LogEntry> const frame = TRY(log.frame(i));
        entries.insert(entries.end(), frame.begin(), frame.end());
    }
    return entries;
}

}  // namespace

std::string StateStore::default_directory() {
    std::string const cache = user_cache();
    return cache.empty() ? "" : cache + "/states";
}

Expected<std::shared_ptr<State>> State::power_on(const Configuration& configuration, std::shared_ptr<StateStore> store, const std::string& symbols) {
    auto origin = std::make_shared<Origin>();
    origin->configuration = configuration;
    HashCache known = HashCache::of_user();
    origin->images = TRY(read_images(configuration, &known));
    origin->identity = identity_of(configuration, origin->images);
    origin->symbols = TRY(symbols_of(origin->images, symbols));
    std::shared_ptr<State> made{new State{std::move(store), origin}};
    made->name_ = "power-on";
    made->key_ = hash_text(std::string{key_version} + "\n" + origin->identity.hex() + "\n" + state_schema_digest().hex());
    return made;
}

std::shared_ptr<State> State::after(std::string name, std::vector<Script> scripts) {
    std::shared_ptr<State> made{new State{store_, origin_}};
    made->parent_ = shared_from_this();
    made->name_ = std::move(name);
    made->key_ = hash_text(key_ + "\n" + canonical_text(scripts));
    made->scripts_ = std::move(scripts);
    return made;
}

Expected<Session> State::fork() {
    std::lock_guard const lock(mutex_);
    if (error_) return *error_;
    auto const reached = reach();
    if (!reached) {
        error_ = reached.error();
        return *error_;
    }
    warm_up();
    return session_->fork();
}

Expected<Done> State::reach() {
    if (session_) return Done{};
    bool const kept = parent_ != nullptr && !store_->directory.empty();
    if (kept) {
        if (auto found = restore()) {
            session_.emplace(*std::move(found));
            restored_ = true;
            return Done{};
        }
    }
    Session session = TRY(parent_ ? parent_->fork() : boot());
    failure_ = play(session, scripts_);
    if (failure_) {
        failed_.emplace(std::move(session));
        return Error{"the state \"" + name_ + "\" is not reached: " + failure_->what};
    }
    session_.emplace(std::move(session));
    if (!kept) return Done{};
    auto const written = keep();
    if (!written) problem_ = "the state \"" + name_ + "\" is not kept on disk: " + written.error().text;
    return Done{};
}

Expected<Session> State::boot() const {
    Machine machine = TRY(Machine::create(origin_->configuration, origin_->images, store_->pool));
    auto header = std::make_shared<LogHeader>(header_of(origin_->configuration, origin_->images, machine));
    Session session{std::move(machine), std::move(header)};
    session.set_symbols(origin_->symbols);
    return session;
}

/// From disk. Any error means that the state is made anew.
Expected<Session> State::restore() {
    auto const folder = FileLock::take(store_->directory, FileLock::Kind::shared);
    auto use = FileLock::take(path(".ramet"), FileLock::Kind::shared);
    auto const log = TRY(InputLog::open(path(".ramet")));
    auto header = std::make_shared<LogHeader>(log->header());
    if (header->identity != origin_->identity || header->schema != state_schema_digest()) return Error{log->path() + ": of another machine"};
    std::vector<LogEntry> entries = TRY(all_entries(*log));
    auto const snapshot = TRY(Snapshot::open(path(".rsnap")));
    const Clock& clock = snapshot->state().clock;
    bool const whole = !entries.empty() && entries.back().kind == LogEntry::Kind::snapshot && snapshot->header().identity == origin_->identity &&
                       entries.back().at == Moment{clock.position, clock.cycles};
    if (!whole) return Error{log->path() + ": does not belong to " + snapshot->path()};
    entries.back().path = snapshot->path();
    std::vector<u8> const console = TRY(read_file(path(".txt"), "console text"));
    // The same images may lie elsewhere than when the state was made.
    header->configuration.kernel = origin_->configuration.kernel;
    header->configuration.initrd = origin_->configuration.initrd;
    if (header->disks.size() != origin_->images.disks.size()) return Error{log->path() + ": of other disks"};
    for (std::size_t i = 0; i < header->disks.size(); ++i) header->configuration.disks[i].file = origin_->configuration.disks[i].file;
    if (header->images.size() != 1 + origin_->images.modules.size()) return Error{log->path() + ": of other images"};
    header->images[0].path = origin_->images.kernel.name;
    for (std::size_t i = 0; i < origin_->images.modules.size(); ++i) header->images[i + 1].path = origin_->images.modules[i].name;

    auto record = std::make_shared<Record>();
    record->entries = std::move(entries);
    record->output[static_cast<std::size_t>(Channel::serial)].assign(console.begin(), console.end());
    source_ = std::make_shared<SnapshotSource>(snapshot);
    Session session{restore_machine(*snapshot, source_, store_->pool, origin_->images.disks), std::move(header), std::move(record)};
    session.set_symbols(origin_->symbols);
    if (use) use->touch();
    use_ = std::move(use);
    return session;
}

/// To disk, and others from there when there is no room for all.
Expected<Done> State::keep() {
    std::error_code error;
    std::filesystem::create_directories(store_->directory, error);
    if (error) return Error{store_->directory + ": cannot make the folder: " + error.message()};
    {
        auto const folder = FileLock::take(store_->directory, FileLock::Kind::shared);
        TRY(write_files());
        use_ = FileLock::take(path(".ramet"), FileLock::Kind::shared);
    }
    TRY(prune_states_if_free(store_->directory, store_->limit_bytes));
    return Done{};
}

/// The log last.
Expected<Done> State::write_files() {
    Session& session = *session_;
    TRY(save_snapshot(session.machine(), session.header(), path(".rsnap")));
    session.note({.kind = LogEntry::Kind::snapshot, .at = {}, .digest = session.digest(), .path = path(".rsnap")});
    std::string const console = output_of(*session.record(), Channel::serial);
    AtomicFile text = TRY(AtomicFile::create(path(".txt")));
    TRY(text.file().write(0, std::vector<u8>{console.begin(), console.end()}));
    TRY(text.commit());
    return write_log(path(".ramet"), session.header(), entries_of(*session.record()));
}

/// Pages that a fork had to fetch come into the state itself, so that the next fork has them.
void State::warm_up() {
    if (!source_) return;
    for (Frame const frame : source_->take_fetched()) session_->machine().memory().read(frame);
}

}  // namespace ramet
