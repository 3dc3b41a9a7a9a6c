// Lineage: a log and all logs it descends from, oldest first. A child's log holds only what came after its fork; replaying it means to replay
// each ancestor up to where the next one was forked.
//
// LineageCursor walks their entries as if they were one log. Each fork appears in it as a digest entry, so that a player compares there as well.
// Tests: tests/replay/lineage_test.cpp.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "replay/input_log.h"

namespace ramet {

struct Lineage {
    static constexpr std::size_t depth_max = 1000;  // a chain that long is a ring, or somebody's joke

    std::vector<std::shared_ptr<const InputLog>> logs;

    /// A parent's log is looked for beside the child's under its own name, as keep_logs() keeps it, then where the child's says.
    static Expected<std::shared_ptr<const Lineage>> open(const std::string& path);
    const InputLog& root() const { return *logs.front(); }
    const InputLog& leaf() const { return *logs.back(); }
};

/// A log that came from elsewhere.
struct CarriedLog {
    Digest name;
    std::vector<u8> bytes;
};
/// Keeps a machine's log and its ancestors', which come before it, in a folder of their own in `directory`: logs of one name can differ (of a machine that was
/// recorded twice, or forked at two moments), and a child's log says only the name. The same logs are kept once. The path of the last one from
/// `directory`; an error when bytes are not the log that they are said to be.
Expected<std::string> keep_logs(const std::string& directory, const std::vector<CarriedLog>& logs);

class LineageCursor {
public:
    explicit LineageCursor(std::shared_ptr<const Lineage> lineage);
    /// The next entry, or nullptr at the end of the leaf.
    Expected<const LogEntry*> peek();
    void advance();

    const Lineage& lineage() const { return *lineage_; }

private:
    /// The origin of the next log, if there is one.
    const LogOrigin* next_origin() const;

    std::shared_ptr<const Lineage> lineage_;
    std::size_t index_ = 0;  // of the log at hand
    u64 taken_ = 0;          // entries of it
    LogCursor cursor_;
    LogEntry fork_;          // the next fork as an entry
};

/// Where the images are, if not where the log says. Contents are checked against the log either way.
struct ImagePaths {
    std::string kernel = {};
    std::string initrd = {};
    std::vector<std::string> disks = {};  // by place; empty: where the log says
    std::string snapshot = {};            // that a log begins at
};

/// The images of a machine's disks, opened; one whose content is another than the header says is refused with both hashes. `who` opens messages.
Expected<DiskImages> open_disks(const LogHeader& header, const ImagePaths& paths, const std::string& who);
/// With the paths that were given instead of its own.
Configuration with_paths(Configuration configuration, const ImagePaths& paths);

/// The machine at the beginning of a lineage: booted from the configuration in the oldest log, or restored from its snapshot. A log of another
/// version, configuration or image is refused with both hashes.
Expected<Machine> first_machine(const Lineage& lineage, const ImagePaths& paths, std::shared_ptr<PagePool> pool);

}  // namespace ramet
