#include "replay/lineage.h"

#include <algorithm>
#include <filesystem>

#include "replay/image_hashes.h"
#include "replay/paths.h"
#include "replay/snapshot.h"

namespace ramet {

namespace {

std::string kept_log_name(const Digest& log) { return log.hex() + ".rlog"; }

Expected<Done> check_parent(const InputLog& parent, const InputLog& child) {
    const LogOrigin& origin = child.header().origin;
    ByteReader name{origin.name};
    Digest const expected = name.digest();
    if (parent.name() != expected)
        return Error{child.path() + ": its parent log has the name " + expected.hex() + ", but " + parent.path() + " has the name " + parent.name().hex()};
    if (parent.entry_count() < origin.entries)
        return Error{parent.path() + ": has " + std::to_string(parent.entry_count()) + " entries, but " + child.path() + " was forked after " +
                     std::to_string(origin.entries) + "; its end is lost"};
    if (parent.header().origin.at > origin.at) return Error{child.path() + ": forked at " + moment_text(origin.at) + ", before its parent began"};
    return Done{};
}

Expected<std::shared_ptr<const InputLog>> open_parent(const InputLog& child) {
    const LogOrigin& origin = child.header().origin;
    if (origin.name.size() == sizeof(Digest)) {
        ByteReader name{origin.name};
        std::string const kept = path_from(child.path(), kept_log_name(name.digest()));
        if (std::filesystem::exists(kept)) return InputLog::open(kept);
    }
    return InputLog::open(path_from(child.path(), origin.path));
}

Expected<Done> check_image(const InputLog& log, const ImageRecord& recorded, const Image& found) {
    ImageRecord const now = image_record(found);
    if (now.sha256 == recorded.sha256 && now.arguments == recorded.arguments) return Done{};
    return Error{log.path() + ": recorded with " + recorded.path + " of SHA-256 " + recorded.sha256.hex() + ", but " + found.name + " has " + now.sha256.hex()};
}

Expected<Done> check_images(const InputLog& log, const Images& images) {
    const std::vector<ImageRecord>& recorded = log.header().images;
    if (recorded.size() != 1 + images.modules.size())
        return Error{log.path() + ": recorded with " + std::to_string(recorded.size()) + " images, but there are " + std::to_string(1 + images.modules.size())};
    TRY(check_image(log, recorded[0], images.kernel));
    for (std::size_t i = 0; i < images.modules.size(); ++i) TRY(check_image(log, recorded[i + 1], images.modules[i]));
    return Done{};
}

Expected<Done> check_disks(const LogHeader& header, const DiskImages& images, const std::string& who) {
    for (std::size_t i = 0; i < images.size(); ++i)
        if (images[i]->sha256() != header.disks[i])
            return Error{who + ": made with the disk " + header.configuration.disks[i].file + " of SHA-256 " + header.disks[i].hex() + ", but " + images[i]->path() + " has " +
                         images[i]->sha256().hex()};
    return Done{};
}

Expected<Machine> boot(const InputLog& log, const ImagePaths& paths, std::shared_ptr<PagePool> pool) {
    Configuration const configuration = with_paths(log.header().configuration, paths);
    HashCache known = HashCache::of_user();
    Images const images = TRY(read_images(configuration, &known));
    TRY(check_images(log, images));
    TRY(check_disks(log.header(), images.disks, log.path()));
    return Machine::create(configuration, images, std::move(pool));
}

Expected<Machine> restore(const InputLog& log, const ImagePaths& paths, std::shared_ptr<PagePool> pool) {
    const LogOrigin& origin = log.header().origin;
    auto const snapshot = TRY(Snapshot::open(paths.snapshot.empty() ? path_from(log.path(), origin.path) : paths.snapshot));
    std::span<const u8> const id = snapshot->id().bytes;
    if (!std::equal(id.begin(), id.end(), origin.name.begin(), origin.name.end())) {
        Sha256 expected;
        std::copy(origin.name.begin(), origin.name.end(), expected.bytes.begin());
        return Error{log.path() + ": recorded from a snapshot with the id " + expected.hex() + ", but " + snapshot->path() + " has " + snapshot->id().hex()};
    }
    return restore_machine(snapshot, std::move(pool), paths);
}

}  // namespace

Configuration with_paths(Configuration configuration, const ImagePaths& paths) {
    if (!paths.kernel.empty()) configuration.kernel = paths.kernel;
    if (!paths.initrd.empty()) configuration.initrd = paths.initrd;
    for (DiskConfiguration& disk : configuration.disks)
        if (disk.place < paths.disks.size() && !paths.disks[disk.place].empty()) disk.file = paths.disks[disk.place];
    return configuration;
}

Expected<DiskImages> open_disks(const LogHeader& header, const ImagePaths& paths, const std::string& who) {
    DiskImages images;
    HashCache known = HashCache::of_user();
    for (const DiskConfiguration& disk : with_paths(header.configuration, paths).disks) {
        auto image = DiskImage::open(disk.file, &known);
        if (!image) return Error{who + ": " + image.error().text};
        images.push_back(*std::move(image));
    }
    TRY(check_disks(header, images, who));
    return images;
}

Expected<std::string> keep_logs(const std::string& directory, const std::vector<CarriedLog>& logs) {
    DigestStream all;
    for (const CarriedLog& log : logs) {
        auto const read = TRY(InputLog::read(TRY(File::in_memory(log.bytes, "the log that came along"))));
        if (read->name() != log.name) return Error{"the log that came along has the name " + read->name().hex() + ", not " + log.name.hex()};
        all.add(log.bytes);
    }
    std::string const folder = all.finish().hex();
    std::error_code error;
    std::filesystem::create_directory(directory + "/" + folder, error);
    if (error) return Error{directory + "/" + folder + ": cannot be made: " + error.message()};
    std::string path;
    for (const CarriedLog& log : logs) {
        path = folder + "/" + kept_log_name(log.name);
        if (std::filesystem::exists(directory + "/" + path)) continue;
        AtomicFile file = TRY(AtomicFile::create(directory + "/" + path));
        TRY(file.file().write(0, log.bytes));
        TRY(file.commit());
    }
    return path;
}

Expected<std::shared_ptr<const Lineage>> Lineage::open(const std::string& path) {
    auto lineage = std::make_shared<Lineage>();
    lineage->logs.push_back(TRY(InputLog::open(path)));
    while (lineage->logs.back()->header().origin.kind == LogOrigin::Kind::fork) {
        const InputLog& child = *lineage->logs.back();
        if (lineage->logs.size() == depth_max) return Error{child.path() + ": more than " + std::to_string(depth_max) + " generations of logs"};
        auto parent = open_parent(child);
        if (!parent) return Error{child.path() + ": its parent log: " + parent.error().text};
        TRY(check_parent(**parent, child));
        lineage->logs.push_back(*std::move(parent));
    }
    std::reverse(lineage->logs.begin(), lineage->logs.end());
    return std::shared_ptr<const Lineage>{std::move(lineage)};
}

LineageCursor::LineageCursor(std::shared_ptr<const Lineage> lineage) : lineage_(std::move(lineage)), cursor_(lineage_->logs.front()) {}

const LogOrigin* LineageCursor::next_origin() const {
    return index_ + 1 < lineage_->logs.size() ? &lineage_->logs[index_ + 1]->header().origin : nullptr;
}

Expected<const LogEntry*> LineageCursor::peek() {
    const LogOrigin* const fork = next_origin();
    if (fork == nullptr || taken_ < fork->entries) return cursor_.peek();
    fork_ = {.kind = LogEntry::Kind::digest, .at = fork->at, .digest = fork->digest};
    return &fork_;
}

void LineageCursor::advance() {
    const LogOrigin* const fork = next_origin();
    if (fork != nullptr && taken_ == fork->entries) {
        cursor_ = LogCursor{lineage_->logs[++index_]};
        taken_ = 0;
        return;
    }
    cursor_.advance();
    ++taken_;
}

Expected<Machine> first_machine(const Lineage& lineage, const ImagePaths& paths, std::shared_ptr<PagePool> pool) {
    const InputLog& log = lineage.root();
    if (log.header().schema != state_schema_digest())
        return Error{log.path() + ": recorded by a version whose machine state has the schema " + log.header().schema.hex() + "; this one has " +
                     state_schema_digest().hex()};
    bool const from_snapshot = log.header().origin.kind == LogOrigin::Kind::snapshot;
    Machine machine = TRY(from_snapshot ? restore(log, paths, std::move(pool)) : boot(log, paths, std::move(pool)));
    if (machine.identity() != log.header().identity)
        return Error{log.path() + ": recorded on the machine " + log.header().identity.hex() + ", but its configuration and images make " + machine.identity().hex()};
    return machine;
}

}  // namespace ramet
