// ramet test: runs a suite of cases over forks of one warm machine.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>

#include "base/quantity.h"
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/replay_words.h"
#include "lab/report.h"

namespace ramet::cli {

namespace {

constexpr const char* notes =
    "Examples:\n"
    "  ramet test suite.toml\n"
    "  ramet test suite.toml --jobs 4 --junit results.xml\n"
    "  ramet test suite.toml --shard 2/4            the second of four parts\n"
    "  ramet test suite.toml --filter 'files/*:-*slow*'\n"
    "\n"
    "States are kept under $XDG_CACHE_HOME/ramet/states (default ~/.cache/ramet/states), named by a hash of all that leads to them;\n"
    "ramet cache lists and removes them.\n"
    "GTEST_TOTAL_SHARDS and GTEST_SHARD_INDEX choose a part as --shard does.\n"
    "Exit status: 0 all cases passed, 18 a case failed, 2 wrong arguments, suite or files.\n";

struct Words {
    std::string suite, machine, shard, junit, report, failures = "failures", cache, cache_limit;
    std::string filter = "*";
    unsigned jobs = 0;
    bool update = false, verify = false, tap = false, list = false, quiet = false, no_cache = false;
};

u64 now_ns() {
    return static_cast<u64>(std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count());
}

Expected<Done> set_shard(SuiteOptions& options, u64 index, u64 count, const std::string& where) {
    if (count == 0 || count > 100'000 || index >= count) return Error{where + ": expected a part and the number of parts, as 1/4 to 4/4"};
    options.shard = static_cast<unsigned>(index);
    options.shard_count = static_cast<unsigned>(count);
    return Done{};
}

Expected<Done> read_shard(SuiteOptions& options, const std::string& word) {
    if (!word.empty()) {
        std::size_t const slash = std::min(word.find('/'), word.size());
        auto const index = parse_count(word.substr(0, slash), "--shard");
        auto const count = parse_count(word.substr(std::min(slash + 1, word.size())), "--shard");
        return set_shard(options, index && *index > 0 ? *index - 1 : ~u64{0}, count ? *count : 0, "--shard \"" + word + "\"");
    }
    const char* const total = std::getenv("GTEST_TOTAL_SHARDS");
    const char* const index = std::getenv("GTEST_SHARD_INDEX");
    if (total == nullptr || index == nullptr) return Done{};
    return set_shard(options, TRY(parse_count(index, "GTEST_SHARD_INDEX")), TRY(parse_count(total, "GTEST_TOTAL_SHARDS")), "GTEST_SHARD_INDEX and GTEST_TOTAL_SHARDS");
}

/// One line that is written over on a terminal; failures only in a log.
class Progress {
public:
    explicit Progress(bool quiet) : live_(!quiet && ::isatty(STDERR_FILENO) == 1), quiet_(quiet) {}

    void show(const CaseResult& result, std::size_t total, const std::string& path) {
        ++done_;
        if (live_) std::fprintf(stderr, "\r\033[K");
        if (!result.passed && !quiet_) {
            std::fprintf(stderr, "%s:%u: %s: %s\n", path.c_str(), result.line, result.name.c_str(), printable(result.what).c_str());
            if (!result.bundle.empty()) std::fprintf(stderr, "    ramet replay %s\n", result.bundle.c_str());
        }
        if (live_) std::fprintf(stderr, "%zu/%zu %s", done_, total, result.name.c_str());
        if (live_ && done_ == total) std::fprintf(stderr, "\r\033[K");
    }

private:
    bool live_;
    bool quiet_;
    std::size_t done_ = 0;
};

Expected<Done> write_file(const std::string& path, const std::string& text) {
    if (path.empty()) return Done{};
    File file = TRY(File::create(path));
    return file.write(0, std::vector<u8>{text.begin(), text.end()});
}

Expected<SuiteOptions> options_of(const Words& words) {
    SuiteOptions options;
    options.jobs = words.jobs != 0 ? words.jobs : std::max(1U, std::thread::hardware_concurrency());
    options.filter = words.filter;
    options.update = words.update;
    options.verify = words.verify;
    options.details = !words.report.empty();
    options.failures = words.failures;
    options.now_ns = now_ns;
    TRY(read_shard(options, words.shard));
    return options;
}

Expected<int> test(const Words& words) {
    Suite suite = TRY(read_suite(words.suite));
    if (!words.machine.empty()) suite.machine = words.machine;
    SuiteOptions const options = TRY(options_of(words));
    if (words.list) {
        for (const SuiteCase& one : suite.cases)
            if (filter_takes(options.filter, one.name)) std::printf("%s\n", one.name.c_str());
        return done;
    }
    u64 const limit = words.cache_limit.empty() ? TRY(state_bytes_limit()) : TRY(parse_size(words.cache_limit, "--cache-limit"));
    auto const store = std::make_shared<StateStore>(words.no_cache ? "" : words.cache.empty() ? StateStore::default_directory() : words.cache, limit);
    Progress progress{words.quiet};
    SuiteReport const report =
        TRY(run_suite(suite, words.suite, options, store, [&](const CaseResult& result, std::size_t total) { progress.show(result, total, words.suite); }));
    for (const StateInfo& state : report.states)
        if (!state.problem.empty()) std::fprintf(stderr, "ramet test: %s\n", state.problem.c_str());
    if (words.tap) std::printf("%s", tap_text(report).c_str());
    TRY(write_file(words.junit, junit_xml(report)));
    TRY(write_file(words.report, html_page(report)));
    std::size_t const failed = report.failed();
    if (!words.tap && !words.quiet)
        std::printf("%zu passed, %zu failed, %s s\n", report.results.size() - failed, failed, seconds_text(report.host_ns).c_str());
    return failed == 0 ? int{done} : int{case_failed};
}

}  // namespace

void add_test(CLI::App& app, int& status) {
    CLI::App& command = *app.add_subcommand("test", "Run a suite of cases over forks of one warm machine");
    auto const words = std::make_shared<Words>();
    command.add_option("suite", words->suite, "suite.toml; docs/testing.md explains it")->required()->type_name("FILE");
    command.add_option("--machine", words->machine, "machine.toml to use instead of the suite's")->type_name("FILE");
    command.add_option("-j,--jobs", words->jobs, "cases that run at a time (default: one for each processor)")->type_name("N");
    command.add_option("--shard", words->shard, "run one part of several, as 1/4")->type_name("I/N");
    command.add_option("--filter", words->filter, "run the cases with such names: * and ?, several with \":\" between, exceptions behind \"-\"")->type_name("GLOB");
    command.add_option("--junit", words->junit, "write the results as JUnit XML")->type_name("FILE");
    command.add_option("--report", words->report, "write the results as one HTML page")->type_name("FILE");
    command.add_option("--failures", words->failures, "folder for bundles and console texts of failed cases (default failures)")->type_name("DIR");
    command.add_option("--cache", words->cache, "folder where states are kept")->type_name("DIR");
    command.add_option("--cache-limit", words->cache_limit, "what states may take there (default $RAMET_CACHE_LIMIT or 8G); the longest unused ones go")->type_name("SIZE");
    command.add_flag("--no-cache", words->no_cache, "keep no states on disk");
    command.add_flag("--tap", words->tap, "print the results in the Test Anything Protocol");
    command.add_flag("--update", words->update, "write expected texts and digests anew");
    command.add_flag("--verify", words->verify, "run every case twice and compare digests");
    command.add_flag("--list", words->list, "only list the names of the cases");
    command.add_flag("-q,--quiet", words->quiet, "print nothing but errors");
    command.footer(notes);
    set_action(command, status, [words] { return test(*words); });
}

}  // namespace ramet::cli
