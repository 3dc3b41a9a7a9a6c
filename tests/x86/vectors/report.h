// Running many vector files on several threads, and the table that tools/vectors prints.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runner.h"

namespace ramet::vectors {

/// A file to run, or one vector of it.
struct Request {
    std::string path;
    std::optional<u64> ordinal;
};

struct FileReport {
    std::string path;
    std::string mode;
    std::string group;
    std::string error;  // not empty: the file could not be read
    Outcome outcome;
};

/// A failure that is accepted, with its reason: one line "mode_group ordinal reason" of exemptions.txt.
struct Exemption {
    std::string file;
    u64 ordinal = 0;
    std::string reason;
};

/// At most this many rows may be exempt.
inline constexpr std::size_t exemptions_max = 20;

Expected<std::vector<Exemption>> load_exemptions(const std::string& path);
bool is_exempt(const std::vector<Exemption>& exemptions, const FileReport& file, u64 ordinal);

/// All *.vec.lz4 of a directory whose names contain `filter`, in name order.
Expected<std::vector<Request>> find_files(const std::string& directory, const std::string& filter);

/// Reports come in the order of the requests, whatever the number of threads.
std::vector<FileReport> run_requests(const std::vector<Request>& requests, const ox_api& api, unsigned threads);

/// Per group and mode: passed/total. Then up to `shown_max` failures of each file with the command that reruns one.
std::string format_table(const std::vector<FileReport>& reports);
std::string format_failures(const std::vector<FileReport>& reports, const std::vector<Exemption>& exemptions,
                            std::size_t shown_max);

}  // namespace ramet::vectors
