#include "report.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <thread>

namespace ramet::vectors {

namespace {

constexpr std::string_view suffix = ".vec.lz4";

FileReport run_request(const Request& request, const ox_api& api) {
    FileReport report;
    report.path = request.path;
    auto file = VectorFile::load(request.path);
    if (!file) {
        report.error = file.error().text;
        return report;
    }
    report.mode = mode_names[static_cast<std::size_t>(file->header().mode)];
    report.group = file->header().group;
    report.outcome = run_file(*file, api, request.ordinal);
    return report;
}

std::string cell(const Outcome& outcome) {
    if (!outcome.modelled) {
        return "(" + std::to_string(outcome.total) + ")";
    }
    return std::to_string(outcome.passed) + "/" + std::to_string(outcome.total);
}

std::string padded(std::string text, std::size_t width) {
    text.insert(0, width > text.size() ? width - text.size() : 0, ' ');
    return text;
}

void add(Outcome& sum, const Outcome& part) {
    sum.passed += part.passed;
    sum.total += part.total;
    sum.modelled = part.modelled;
}

}  // namespace

Expected<std::vector<Exemption>> load_exemptions(const std::string& path) {
    std::ifstream in(path);
    if (!in) {
        return Error{path + ": cannot be opened"};
    }
    std::vector<Exemption> exemptions;
    std::string line;
    for (unsigned number = 1; std::getline(in, line); ++number) {
        if (line.empty() || line[0] == '#') {
            continue;
        }
        std::istringstream words(line);
        Exemption row;
        words >> row.file >> row.ordinal;
        std::getline(words >> std::ws, row.reason);
        if (!words.eof() || row.reason.empty()) {
            return Error{path + ":" + std::to_string(number) + ": expected \"mode_group ordinal reason\""};
        }
        exemptions.push_back(row);
    }
    if (exemptions.size() > exemptions_max) {
        return Error{path + ": more than " + std::to_string(exemptions_max) + " exemptions"};
    }
    return exemptions;
}

bool is_exempt(const std::vector<Exemption>& exemptions, const FileReport& file, u64 ordinal) {
    return std::ranges::any_of(exemptions, [&](const Exemption& row) {
        return row.file == file.mode + "_" + file.group && row.ordinal == ordinal;
    });
}

Expected<std::vector<Request>> find_files(const std::string& directory, const std::string& filter) {
    std::error_code error;
    std::vector<Request> requests;
    for (auto const& entry : std::filesystem::directory_iterator(directory, error)) {
        std::string const name = entry.path().filename().string();
        if (name.ends_with(suffix) && name.find(filter) != std::string::npos) {
            requests.push_back({entry.path().string(), {}});
        }
    }
    if (error) {
        return Error{directory + ": " + error.message()};
    }
    std::ranges::sort(requests, {}, &Request::path);
    return requests;
}

std::vector<FileReport> run_requests(const std::vector<Request>& requests, const ox_api& api, unsigned threads) {
    std::vector<FileReport> reports(requests.size());
    std::atomic<std::size_t> next = 0;
    auto const work = [&] {
        for (std::size_t i = next++; i < requests.size(); i = next++) {
            reports[i] = run_request(requests[i], api);
        }
    };
    std::vector<std::jthread> helpers;
    for (unsigned i = 1; i < threads; ++i) {
        helpers.emplace_back(work);
    }
    work();
    helpers.clear();
    return reports;
}

std::string format_table(const std::vector<FileReport>& reports) {
    constexpr std::size_t width = 15;
    std::map<std::string, std::map<std::string, Outcome>> groups;
    Outcome sum;
    u32 declined = 0;
    for (auto const& report : reports) {
        if (report.error.empty()) {
            add(groups[report.group][report.mode], report.outcome);
            report.outcome.modelled ? add(sum, report.outcome) : void(declined += report.outcome.total);
        }
    }
    std::string text = "group       ";
    for (auto const* mode : mode_names) {
        text += padded(mode, width);
    }
    for (auto const& [group, modes] : groups) {
        text += "\n" + group + std::string(group.size() < 12 ? 12 - group.size() : 0, ' ');
        for (auto const* mode : mode_names) {
            auto const found = modes.find(mode);
            text += padded(found == modes.end() ? "" : cell(found->second), width);
        }
    }
    text += "\n" + std::to_string(sum.passed) + " of " + std::to_string(sum.total) + " vectors passed";
    if (declined != 0) {
        text += "; " + std::to_string(declined) + " in parentheses are not modelled (AVX, FMA, BMI, SHA)";
    }
    return text + "\n";
}

std::string format_failures(const std::vector<FileReport>& reports, const std::vector<Exemption>& exemptions,
                            std::size_t shown_max) {
    std::string text;
    for (auto const& report : reports) {
        if (!report.error.empty()) {
            text += report.error + "\n";
        }
        std::size_t shown = 0;
        for (auto const& failure : report.outcome.failures) {
            if (shown == shown_max) {
                text += report.path + ": " + std::to_string(report.outcome.failures.size() - shown) +
                        " more failures; --all shows them\n";
                break;
            }
            if (is_exempt(exemptions, report, failure.ordinal)) {
                continue;
            }
            ++shown;
            text += "FAILED  " + failure.instruction + "\n";
            for (auto const& difference : failure.differences) {
                text += "    " + difference + "\n";
            }
            text += "    again: tools/vectors '" + report.path + "#" + std::to_string(failure.ordinal) + "'\n";
        }
    }
    return text;
}

}  // namespace ramet::vectors
