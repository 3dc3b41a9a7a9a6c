// Properties of guest software, with GoogleTest and rapidcheck as people know them: one machine is booted once, and each case is a fork of it.
//
//     #include <ramet/test.hpp>
//
//     class KvStore : public ramet::GuestTest {
//     protected:
//         KvStore() {
//             machine("kv.toml");                            // what `ramet run kv.toml` boots
//             warm(ramet::serial("ready"));                  // how far, before the first case
//         }
//     };
//
//     RAMET_PROP(KvStore, survives_any_script, (std::vector<Op> script)) {
//         auto child = warm().fork();                        // microseconds
//         child.type(text(script));
//         RC_ASSERT(child.run_until(ramet::serial("ok"), ramet::instructions(2'000'000)));
//     }
//
// The warm machine is kept on disk under the hash of configuration, images and warm-up (src/lab/state.h says where). A property that fails is shrunk; the
// minimal case is printed, written to one file, and the command that replays it is printed. *When* something arrives is a value like any other: a
// parameter of type ramet::When<N>, from 0 to N instructions, of an input, of an interrupt (`child.interrupt(5)`) or of a disk's completion (`child.hold_disk()`, later `child.delay_disk(0)`);
// DiskDelay<N> is how long a disk takes. A stateful property walks a trail, `warm().trail()`, which never runs a known step twice:
//
//     RAMET_PROP(KvStore, behaves_like_a_map, ()) {
//         auto store = warm().trail();
//         rc::state::check(Model{}, store, rc::state::gen::execOneOfWithArgs<Set, Get, Erase>());
//     }
//
// Link with gtest, rapidcheck and ramet. This header alone needs those two; the library does not.
#pragma once

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/state.h>

#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "ramet.hpp"

namespace ramet {

/// A number of instructions from 0 to Max: how long after the fork something arrives. Shrinks towards 0.
template <u64 Max>
struct When {
    u64 instructions = 0;

    Budget budget() const { return ramet::instructions(instructions); }
    friend std::ostream& operator<<(std::ostream& to, When when) { return to << "after " << when.instructions << " instructions"; }
};

/// How many cycles a disk takes before it moves the first sector, from 0 to Max, for Session::delay_disk(). Shrinks towards 0.
template <u64 Max>
struct DiskDelay {
    u64 cycles = 0;

    friend std::ostream& operator<<(std::ostream& to, DiskDelay delay) { return to << delay.cycles << " cycles"; }
};

/// The value, or the end of the case with the error's text.
template <class T>
T must(Expected<T> result) {
    if (!result) RC_FAIL(result.error().text);
    return *std::move(result);
}

namespace detail {

/// What a property's cases share.
struct PropertyRun {
    std::shared_ptr<Witness> witness = std::make_shared<Witness>();
    std::shared_ptr<State> state;
    std::shared_ptr<Forest> forest;
    u64 cases = 0;
    std::shared_ptr<const Record> failed;  // of the last case that failed: the minimal one, when shrinking has ended
};

/// States of this process, by what leads to them.
class WarmStates {
public:
    static WarmStates& of_process() {
        static WarmStates states;
        return states;
    }

    std::shared_ptr<State> find(const Configuration& configuration, const std::string& symbols, const std::vector<Step>& steps) {
        std::lock_guard const lock(mutex_);
        std::vector<Script> const scripts = {steps};
        std::string const script = canonical_text(scripts);
        for (const Known& known : known_)
            if (known.configuration == configuration && known.symbols == symbols && known.script == script) return known.state;
        auto const root = must(State::power_on(configuration, store_, symbols));
        return known_.emplace_back(Known{configuration, symbols, script, steps.empty() ? root : root->after("warm", scripts)}).state;
    }

private:
    struct Known {
        Configuration configuration;
        std::string symbols;
        std::string script;
        std::shared_ptr<State> state;
    };

    std::mutex mutex_;
    std::shared_ptr<StateStore> store_ = std::make_shared<StateStore>(StateStore::default_directory(), must(state_bytes_limit()));
    std::vector<Known> known_;
};

}  // namespace detail

/// The machine that a fixture describes, ready to be forked.
class Warm {
public:
    explicit Warm(detail::PropertyRun& run) : run_(run) {}

    Session fork() const {
        Session session = must(run_.state->fork());
        session.set_witness(run_.witness);
        return session;
    }
    Trail trail() const {
        if (run_.forest == nullptr) run_.forest = std::make_shared<Forest>(run_.state);
        return must(Trail::begin(run_.forest, run_.witness));
    }
    State& state() const { return *run_.state; }

private:
    detail::PropertyRun& run_;
};

/// Base of fixtures. The constructor of a fixture describes its machine; tests and properties fork it.
class GuestTest : public testing::Test {
public:
    static constexpr int cases = 100;  ///< of a property, unless RC_PARAMS says otherwise; a fixture may define its own

    void bind(detail::PropertyRun& run) {
        if (run.state == nullptr) run.state = detail::WarmStates::of_process().find(must(configuration()), symbols_, steps_);
        run_ = &run;
    }

protected:
    /// machine.toml: the keys of `ramet run`.
    void machine(const std::string& path) { path_ = path; }
    void machine(Configuration configuration) { configuration_ = std::move(configuration); }
    /// An ELF file, a System.map or a dump of /proc/kallsyms; without it, the kernel image's own.
    void symbols(const std::string& path) { symbols_ = path; }
    /// The way from power-on to the warm machine, step after step.
    void warm(Condition condition, const Budget& budget = Session::default_budget) { steps_.push_back(expect(std::move(condition), budget)); }
    void warm(const Budget& budget) { steps_.push_back(wait(budget)); }
    void warm_type(std::string text) { steps_.push_back(send(std::move(text))); }

    Warm warm() {
        if (run_ == nullptr) bind(own_run_);
        return Warm{*run_};
    }

private:
    Expected<Configuration> configuration() const { return path_.empty() ? Expected<Configuration>{configuration_} : read_configuration(path_); }

    std::string path_;
    Configuration configuration_;
    std::string symbols_;
    std::vector<Step> steps_;
    detail::PropertyRun own_run_;
    detail::PropertyRun* run_ = nullptr;
};

/// What checking a property came to.
struct PropertyReport {
    bool holds = false;
    std::string message;  ///< for people
    std::string bundle;   ///< path of the failing case's bundle
    rc::detail::Example minimal;  ///< parameters of the minimal case, with their types
    u64 cases = 0;        ///< run, shrinking included
};

namespace detail {

/// Where bundles go: $RAMET_BUNDLES, or the working directory.
inline std::string bundle_path(const std::string& name) {
    const char* const directory = std::getenv("RAMET_BUNDLES");
    return (directory != nullptr ? std::string{directory} + "/" : std::string{}) + file_name_of(name) + ".ramet";
}

template <class Property, class... Args>
rc::detail::TestResult check_cases(PropertyRun& run, void (Property::*)(Args...), const rc::detail::TestMetadata& metadata, const rc::detail::TestParams& params) {
    auto const one_case = [&run](Args... args) {
        ++run.cases;
        run.witness->last = nullptr;
        Property property;
        property.bind(run);
        property.set_up();
        try {
            property.check(std::move(args)...);
        } catch (const rc::detail::CaseResult& result) {
            if (result.type == rc::detail::CaseResult::Type::Failure) run.failed = run.witness->last;
            throw;
        }
        property.tear_down();
    };
    return rc::detail::checkTestable(one_case, metadata, params);
}

inline std::string write_failure(PropertyRun& run, const std::string& path, const std::string& what) {
    if (run.failed == nullptr) return "no machine was run by the minimal case";
    auto start = run.state->fork();
    if (!start) return start.error().text;
    auto const written = write_bundle(path, *std::move(start), *run.failed, what);
    return written ? "" : written.error().text;
}

}  // namespace detail

/// Checks a property that RAMET_DEFINE_PROP declared.
template <class Property>
PropertyReport check_property(const std::string& name, const rc::detail::TestParams& params) {
    detail::PropertyRun run;
    PropertyReport report;
    rc::detail::TestResult const result = detail::check_cases(run, &Property::check, {name, name}, params);
    report.cases = run.cases;
    report.holds = result.template is<rc::detail::SuccessResult>();
    std::ostringstream text;
    rc::detail::printResultMessage(result, text);
    if (result.template is<rc::detail::FailureResult>()) {
        report.minimal = result.template get<rc::detail::FailureResult>().counterExample;
        report.bundle = detail::bundle_path(name);
        std::string const trouble = detail::write_failure(run, report.bundle, text.str());
        if (trouble.empty()) text << "\n\nReplay it with:\n    ramet replay " << report.bundle << "\n";
        else text << "\n\nNo bundle was written: " << trouble << "\n";
    }
    report.message = text.str();
    return report;
}

/// With RC_PARAMS where they are given, else with the fixture's number of cases.
template <class Property>
PropertyReport check_property(const std::string& name) {
    rc::detail::TestParams params = rc::detail::configuration().testParams;
    if (params.maxSuccess == rc::detail::TestParams{}.maxSuccess) params.maxSuccess = Property::cases;
    return check_property<Property>(name, params);
}

}  // namespace ramet

#define RAMET_DECLARE_PROP(Fixture, Name, ArgList)       \
    class Fixture##_##Name##_property : public Fixture { \
    public:                                              \
        void TestBody() override {}                      \
        void set_up() { SetUp(); }                       \
        void tear_down() { TearDown(); }                 \
        void check ArgList;                              \
    };

/// Defines a property without making it a test: ramet::check_property<Fixture_Name_property>("name") checks it.
#define RAMET_DEFINE_PROP(Fixture, Name, ArgList) \
    RAMET_DECLARE_PROP(Fixture, Name, ArgList)    \
    void Fixture##_##Name##_property::check ArgList

/// A property as a test of its fixture. What follows is the body: RC_* assertions, warm().fork(), warm().trail().
#define RAMET_PROP(Fixture, Name, ArgList)                                                            \
    RAMET_DECLARE_PROP(Fixture, Name, ArgList)                                                        \
    TEST_F(Fixture, Name) {                                                                           \
        auto const report = ::ramet::check_property<Fixture##_##Name##_property>(#Fixture "." #Name); \
        if (!report.holds) FAIL() << report.message;                                                  \
    }                                                                                                 \
    void Fixture##_##Name##_property::check ArgList

namespace ramet::detail {

/// Over the whole range whatever the size: a window of a few instructions is as likely in the first case as in the last.
inline rc::Gen<u64> up_to(u64 max) {
    return rc::gen::shrink(rc::gen::noShrink(rc::gen::resize(rc::kNominalSize, rc::gen::inRange<u64>(0, max + 1))),
                           [](u64 value) { return rc::shrink::towards(value, u64{0}); });
}

}  // namespace ramet::detail

namespace rc {

template <ramet::u64 Max>
struct Arbitrary<ramet::When<Max>> {
    static Gen<ramet::When<Max>> arbitrary() {
        return gen::map(ramet::detail::up_to(Max), [](ramet::u64 value) { return ramet::When<Max>{value}; });
    }
};

template <ramet::u64 Max>
struct Arbitrary<ramet::DiskDelay<Max>> {
    static Gen<ramet::DiskDelay<Max>> arbitrary() {
        return gen::map(ramet::detail::up_to(Max), [](ramet::u64 value) { return ramet::DiskDelay<Max>{value}; });
    }
};

}  // namespace rc
