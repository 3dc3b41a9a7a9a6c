// vectors: runs instruction vectors through the processor. `vectors --help` says how; tools/vectors builds and calls it.
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iostream>
#include <thread>

#include "report.h"

namespace {

using namespace ramet;
using namespace ramet::vectors;

constexpr const char* usage =
    "usage: vectors [--all] [--jobs N] [--data DIR] [DIR | FILE | FILE#ORDINAL | FILTER]...\n"
    "\n"
    "Runs recorded instructions and compares what they leave. Without arguments: all vectors of the repository.\n"
    "  DIR            every *.vec.lz4 in it\n"
    "  FILE           one file;  FILE#ORDINAL  one vector of it, with its states before and after\n"
    "  FILTER         the files of the data directory whose names contain it, e.g. long64_sse\n"
    "  --all          show every failure, not the first five of each file\n"
    "  --jobs N       threads (default: one per host CPU)\n"
    "  --data DIR     where FILTER looks\n"
    "Exit status: 0 all passed or exempt, 1 failures, 2 wrong usage or unreadable files.\n";

struct Options {
    std::size_t shown_max = 5;
    unsigned jobs = std::max(1u, std::thread::hardware_concurrency());
    std::string data = RAMET_VECTOR_DATA;
    std::vector<std::string> arguments;
};

Expected<Options> parse_options(std::span<char*> arguments) {
    Options options;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        std::string const word = arguments[i];
        bool const has_value = i + 1 < arguments.size();
        if (word == "--all") {
            options.shown_max = ~std::size_t{0};
        } else if (word == "--data" && has_value) {
            options.data = arguments[++i];
        } else if (word == "--jobs" && has_value) {
            std::string const value = arguments[++i];
            auto const [end, error] = std::from_chars(value.data(), value.data() + value.size(), options.jobs);
            if (error != std::errc{} || *end != 0 || options.jobs == 0 || options.jobs > 256) {
                return Error{"--jobs takes a number from 1 to 256, not \"" + value + "\""};
            }
        } else if (word.starts_with("-")) {
            return Error{"unknown option " + word + "; --help lists all"};
        } else {
            options.arguments.push_back(word);
        }
    }
    return options;
}

Expected<std::vector<Request>> requests_of(const Options& options, const std::string& argument) {
    namespace fs = std::filesystem;
    if (fs::is_directory(argument)) {
        return find_files(argument, "");
    }
    if (fs::is_regular_file(argument)) {
        return std::vector<Request>{{argument, {}}};
    }
    std::size_t const hash = argument.rfind('#');
    if (hash != std::string::npos && fs::is_regular_file(argument.substr(0, hash))) {
        u64 ordinal = 0;
        auto const* const last = argument.data() + argument.size();
        auto const [end, error] = std::from_chars(argument.data() + hash + 1, last, ordinal);
        if (error != std::errc{} || end != last) {
            return Error{argument + ": the ordinal after # is not a number"};
        }
        return std::vector<Request>{{argument.substr(0, hash), ordinal}};
    }
    auto found = TRY(find_files(options.data, argument));
    if (found.empty()) {
        return Error{argument + ": neither a directory nor a file, and no file in " + options.data + " has it in its name"};
    }
    return found;
}

std::string hex(std::span<const u8> little_endian) {
    std::string text;
    for (u8 const byte : little_endian) {
        text.insert(0, {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]});
    }
    return text;
}

void print_vector(const Request& request) {
    auto file = VectorFile::load(request.path);
    if (!file) {
        return;
    }
    for (u32 i = 0; i < file->size(); ++i) {
        Vector const vector = file->parse(i);
        if (vector.ordinal != *request.ordinal) {
            continue;
        }
        ox_state before = state_before(file->header(), vector);
        ox_state after = state_after(file->header(), vector, before);
        std::cout << "bytes (last first) " << hex(vector.instruction) << ", vector flags " << unsigned{vector.flags} << "\n";
        for (unsigned id = 0; id < id_count; ++id) {
            auto const a = register_bytes(before, id);
            auto const b = register_bytes(after, id);
            bool const changed = !std::ranges::equal(a, b);
            if (changed || std::ranges::any_of(a, [](u8 byte) { return byte != 0; })) {
                std::cout << "  " << register_name(id) << "\t" << hex(a) << (changed ? " -> " + hex(b) : "") << "\n";
            }
        }
        for (auto const& item : vector.memory_before) {
            std::cout << "  [" << std::hex << item.address << std::dec << "] " << hex(item.bytes) << "\n";
        }
        for (auto const& item : vector.memory_after) {
            std::cout << "  [" << std::hex << item.address << std::dec << "] -> " << hex(item.bytes) << "\n";
        }
    }
}

int fail(const Error& error) {
    std::cerr << "vectors: " << error.text << "\n";
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    std::span<char*> const words(argv + 1, argv + argc);
    if (std::ranges::any_of(words, [](std::string_view word) { return word == "--help" || word == "-h"; })) {
        std::cout << usage;
        return 0;
    }
    auto options = parse_options(words);
    if (!options) {
        return fail(options.error());
    }
    if (options->arguments.empty()) {
        options->arguments.push_back(options->data);
    }
    auto exemptions = load_exemptions(RAMET_VECTOR_EXEMPTIONS);
    if (!exemptions) {
        return fail(exemptions.error());
    }
    std::vector<Request> requests;
    for (auto const& argument : options->arguments) {
        auto found = requests_of(*options, argument);
        if (!found) {
            return fail(found.error());
        }
        requests.insert(requests.end(), found->begin(), found->end());
    }

    auto const reports = run_requests(requests, *ox_get_api(), options->jobs);
    std::cout << format_failures(reports, *exemptions, options->shown_max);
    for (auto const& request : requests) {
        if (request.ordinal) {
            print_vector(request);
        }
    }
    std::cout << format_table(reports);
    bool unreadable = false;
    bool failed = false;
    for (auto const& report : reports) {
        unreadable |= !report.error.empty();
        for (auto const& failure : report.outcome.failures) {
            failed |= !is_exempt(*exemptions, report, failure.ordinal);
        }
    }
    return unreadable ? 2 : failed ? 1 : 0;
}
