#include "lab/suite_run.h"

#include <algorithm>
#include <filesystem>
#include <mutex>

#include "base/parallel.h"
#include "lab/bundle.h"

namespace ramet {

namespace {

bool glob(std::string_view pattern, std::string_view name) {
    std::size_t p = 0, n = 0, star = std::string_view::npos, resume = 0;
    while (n < name.size()) {
        if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n]) && pattern[p] != '*') {
            ++p, ++n;
        } else if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            resume = n;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            n = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

bool any_of(std::string_view patterns, std::string_view name) {
    while (!patterns.empty()) {
        std::size_t const end = std::min(patterns.find(':'), patterns.size());
        if (glob(patterns.substr(0, end), name)) return true;
        patterns.remove_prefix(std::min(end + 1, patterns.size()));
    }
    return false;
}

Expected<Done> write_text(const std::string& path, std::string_view text) {
    std::error_code error;
    std::filesystem::create_directories(directory_of(path), error);
    if (error) return Error{directory_of(path) + ": cannot make the folder: " + error.message()};
    AtomicFile file = TRY(AtomicFile::create(path));
    TRY(file.file().write(0, std::vector<u8>{text.begin(), text.end()}));
    return file.commit();
}

/// The first line in which two texts differ.
std::string first_difference(const std::string& expected, const std::string& found) {
    std::size_t line = 1, at = 0;
    for (; at < expected.size() && at < found.size() && expected[at] == found[at]; ++at) line += expected[at] == '\n';
    auto const line_at = [at](const std::string& text) {
        std::size_t const begin = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
        return "\"" + text.substr(begin, text.find('\n', begin) - begin) + "\"";
    };
    return "line " + std::to_string(line) + ": expected " + line_at(expected) + ", found " + line_at(found);
}

std::string without_returns(std::string_view text) {
    std::string made;
    for (char const c : text)
        if (c != '\r') made += c;
    return made;
}

class Runner {
public:
    Runner(const Suite& suite, const SuiteOptions& options) : suite_(suite), options_(options) {}

    Expected<Done> plant(std::shared_ptr<StateStore> store) {
        Configuration const configuration = TRY(read_configuration(suite_.machine));
        add_state("power-on", TRY(State::power_on(configuration, std::move(store), suite_.symbols)));
        if (!suite_.warm.empty()) add_state("warm", states_.at("power-on")->after("warm", suite_.warm));
        for (const SuiteCase& one : suite_.cases)
            if (!one.provides.empty()) add_state(one.provides, states_.at(one.requires_state)->after(one.provides, one.scripts));
        return Done{};
    }

    CaseResult run(const SuiteCase& one) const {
        u64 const begun = options_.now_ns();
        CaseResult result{.name = one.name, .state = one.requires_state, .provides = one.provides, .line = one.line};
        perform(one, result);
        result.host_ns = options_.now_ns() - begun;
        return result;
    }

    std::vector<StateInfo> states() const {
        std::vector<StateInfo> infos;
        for (const std::string& name : order_) {
            const State& state = *states_.at(name);
            infos.push_back({name, state.parent() ? state.parent()->name() : "", state.restored(), state.problem()});
        }
        return infos;
    }

private:
    void add_state(const std::string& name, std::shared_ptr<State> state) {
        states_[name] = std::move(state);
        order_.push_back(name);
    }

    void perform(const SuiteCase& one, CaseResult& result) const {
        State& parent = *states_.at(one.requires_state);
        auto start = parent.fork();
        if (!start) {
            result.what = start.error().text;
            return;
        }
        Session& before = *start;
        result.begin = {before.position(), before.cycles()};
        std::string const past = output_of(*before.record(), Channel::serial);
        if (one.provides.empty()) {
            auto const failure = play(before, one.scripts);
            judge(one, result, before, past.size(), failure);
            return;
        }
        State& state = *states_.at(one.provides);
        auto reached = state.fork();
        result.restored = state.restored();
        if (reached) return judge(one, result, *reached, past.size(), std::nullopt);
        if (state.failed() == nullptr) {
            result.what = reached.error().text;
            return;
        }
        judge(one, result, *state.failed(), past.size(), state.failure());
    }

    /// The machine stands where the scripts ended, or where one of them failed.
    void judge(const SuiteCase& one, CaseResult& result, Session& session, std::size_t past, const std::optional<Failure>& failure) const {
        result.end = {session.position(), session.cycles()};
        result.own_bytes = session.machine().private_bytes();
        if (failure) {
            result.what = failure->what;
            if (failure->line != 0) result.line = failure->line;
        }
        bool const details = options_.details || failure || options_.verify || !one.golden.empty() || !one.digest.empty();
        if (details) {
            result.console = output_of(*session.record(), Channel::serial).substr(past);
            result.digest = session.digest();
        }
        if (!failure) compare(one, result);
        if (result.what.empty() && options_.verify) verify(one, result);
        result.passed = result.what.empty();
        if (!result.passed) leave(result, session);
    }

    void compare(const SuiteCase& one, CaseResult& result) const {
        if (!one.golden.empty()) compare_text(one.golden, without_returns(result.console), "the console", result);
        if (!one.digest.empty()) compare_text(one.digest, result.digest->hex() + "\n", "the digest", result);
    }

    void compare_text(const std::string& path, const std::string& found, const char* name, CaseResult& result) const {
        if (!result.what.empty()) return;
        if (options_.update) {
            auto const written = write_text(path, found);
            if (!written) result.what = written.error().text;
            return;
        }
        auto const bytes = read_file(path, "expected text");
        if (!bytes) {
            result.what = bytes.error().text + "; --update writes it";
            return;
        }
        std::string const expected{bytes->begin(), bytes->end()};
        if (expected != found) result.what = std::string{name} + " is not that of " + path + ", " + first_difference(expected, found) + "; --update writes it anew";
    }

    /// Once more from the same state: the same machine, or the guarantee does not hold.
    void verify(const SuiteCase& one, CaseResult& result) const {
        auto again = states_.at(one.requires_state)->fork();
        if (!again) {
            result.what = again.error().text;
            return;
        }
        auto const failure = play(*again, one.scripts);
        Moment const end{again->position(), again->cycles()};
        if (failure) result.what = "run again, it failed: " + failure->what;
        else if (end != result.end || again->digest() != *result.digest)
            result.what = "run again, it came to " + moment_text(end) + " with the digest " + again->digest().hex() + " instead of " + moment_text(result.end) + " with " +
                          result.digest->hex();
    }

    /// What a failed case leaves behind: its bundle and its console text.
    void leave(CaseResult& result, Session& session) const {
        std::string const path = options_.failures + "/" + file_name_of(suite_.name + "-" + result.name);
        auto written = write_text(path + ".txt", result.console);
        if (written) written = write_bundle(path + ".ramet", session, suite_.name + ": " + result.name + ": " + result.what);
        if (written) result.bundle = path + ".ramet";
        else result.what += "; and no bundle was written: " + written.error().text;
    }

    const Suite& suite_;
    const SuiteOptions& options_;
    std::map<std::string, std::shared_ptr<State>> states_;
    std::vector<std::string> order_;
};

/// The cases of this shard.
std::vector<const SuiteCase*> selected(const Suite& suite, const SuiteOptions& options) {
    std::vector<const SuiteCase*> cases;
    std::size_t index = 0;
    for (const SuiteCase& one : suite.cases)
        if (filter_takes(options.filter, one.name) && index++ % options.shard_count == options.shard) cases.push_back(&one);
    return cases;
}

}  // namespace

std::size_t SuiteReport::failed() const {
    return static_cast<std::size_t>(std::ranges::count_if(results, [](const CaseResult& result) { return !result.passed; }));
}

bool filter_takes(const std::string& filter, const std::string& name) {
    std::size_t const minus = filter.starts_with('-') ? 0 : filter.find(":-") == std::string::npos ? filter.size() : filter.find(":-");
    std::string const take = filter.substr(0, minus);
    std::string const leave = filter.substr(std::min(filter.size(), minus + (minus == 0 ? 1 : 2)));
    return (take.empty() || any_of(take, name)) && !any_of(leave, name);
}

Expected<SuiteReport> run_suite(const Suite& suite, const std::string& path, const SuiteOptions& options, std::shared_ptr<StateStore> store,
                                const std::function<void(const CaseResult&, std::size_t)>& done) {
    u64 const begun = options.now_ns();
    Runner runner{suite, options};
    TRY(runner.plant(std::move(store)));
    std::vector<const SuiteCase*> const cases = selected(suite, options);
    SuiteReport report{.name = suite.name, .path = path, .results = {}, .states = {}};
    report.results.resize(cases.size());
    std::mutex mutex;
    in_parallel(cases.size(), options.jobs, [&](std::size_t i) {
        report.results[i] = runner.run(*cases[i]);
        std::lock_guard const lock(mutex);
        if (done) done(report.results[i], cases.size());
    });
    report.states = runner.states();
    report.host_ns = options.now_ns() - begun;
    return report;
}

}  // namespace ramet
