// Running a suite: each state is reached once, each case is a fork of the state it requires, a few cases run at a time. What a case comes to depends on
// the suite and the images alone, so there is no retry, and any shard of any host gives the same results.
// Tests: tests/lab/suite_run_test.cpp.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lab/state.h"
#include "lab/suite.h"

namespace ramet {

struct SuiteOptions {
    unsigned jobs = 1;
    std::string filter = "*";            ///< of names: * and ?, as in a shell; several with ":" between, and what follows "-" is left out
    unsigned shard = 0, shard_count = 1; ///< every shard_count-th of the cases that pass the filter, from the shard-th on
    bool update = false;                 ///< writes golden texts and digests instead of comparing
    bool verify = false;                 ///< runs every case twice and compares digests
    bool details = false;                ///< console text and digest of cases that pass, too
    std::string failures = "failures";   ///< folder of bundles and console texts
    std::function<u64()> now_ns = [] { return u64{0}; };  ///< the host's clock, for durations in reports
};

struct CaseResult {
    std::string name;
    std::string state;      ///< where it began
    std::string provides;
    u32 line = 0;           ///< in the suite: of the failed step, else of the case
    bool passed = false;
    bool restored = false;  ///< the state that it provides was found on disk
    std::string what = {};  ///< failed
    std::string console = {};  ///< what came out during the case
    std::string bundle = {};
    Moment begin = {}, end = {};
    std::optional<Digest> digest = {};
    u64 host_ns = 0;
    u64 own_bytes = 0;      ///< memory that the case has to itself
};

/// A state of the suite, and what became of it.
struct StateInfo {
    std::string name;
    std::string parent;  ///< empty for power-on
    bool restored = false;
    std::string problem;
};

struct SuiteReport {
    std::string name, path;
    std::vector<CaseResult> results;  ///< in the suite's order
    std::vector<StateInfo> states;
    u64 host_ns = 0;

    std::size_t failed() const;
};

/// Whether a filter of SuiteOptions takes a name.
bool filter_takes(const std::string& filter, const std::string& name);

/// `done` is told each result as it comes, one at a time, and how many there will be.
Expected<SuiteReport> run_suite(const Suite& suite, const std::string& path, const SuiteOptions& options, std::shared_ptr<StateStore> store,
                                const std::function<void(const CaseResult&, std::size_t)>& done = {});

}  // namespace ramet
