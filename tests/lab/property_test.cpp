// Three guests with bugs that were put there on purpose, and the properties that find them: each from a cold start, with the minimal case expected to
// be what the guest's source describes, and beside it as many plain random cases.
#include <ramet/test.hpp>

#include <filesystem>

#include "buggy.h"
#include "replay/player.h"

namespace ramet {
namespace {

rc::detail::TestParams params(int cases, bool shrink) {
    rc::detail::TestParams made;
    made.seed = 1;
    made.maxSuccess = cases;
    made.disableShrinking = !shrink;
    return made;
}

/// The property fails; prints what it found, beside as many random cases without shrinking. Returns the minimal case.
template <class Property>
std::string find(const std::string& name, int cases) {
    ::setenv("RAMET_BUNDLES", testing::TempDir().c_str(), 1);
    PropertyReport const found = check_property<Property>(name, params(cases, true));
    EXPECT_FALSE(found.holds);
    EXPECT_NE(found.message.find("ramet replay "), std::string::npos) << found.message;
    PropertyReport const plain = check_property<Property>(name + " plain", params(static_cast<int>(found.cases), false));
    std::string const minimal = found.minimal.empty() ? "" : found.minimal[0].second;
    std::string const random = plain.holds ? "nothing" : plain.minimal.empty() ? "?" : plain.minimal[0].second;
    std::printf("%s: %llu cases found and shrank to: %s\n%s: %llu plain random cases found: %s\n", name.c_str(), static_cast<unsigned long long>(found.cases), minimal.c_str(),
                name.c_str(), static_cast<unsigned long long>(plain.cases), random.c_str());
    if (!found.bundle.empty()) {
        Player player = must(Player::open_late(found.bundle, {}, std::make_shared<PagePool>()));
        NullPorts ports;
        Progress const progress = must(player.run_to_end(ports));
        EXPECT_EQ(progress.kind, Progress::Kind::ended);
        std::filesystem::remove(found.bundle);
        std::filesystem::remove(plain.bundle);
    }
    return minimal;
}

class EventCounter : public GuestTest {
protected:
    EventCounter() {
        machine(event_counter());
        warm(serial("counting"));
        warm(instructions(5000));
    }
};

constexpr u64 loop_instructions = 1004;  // of the guest's main loop

RAMET_DEFINE_PROP(EventCounter, counts_an_event_whenever_it_comes, (When<loop_instructions> when)) {
    auto child = warm().fork();
    child.run(when.budget());
    child.type("x");
    child.run(instructions(100'000));
    RC_ASSERT(must(child.read<u32>("events")) + must(child.read<u32>("handled")) == 1U);
}

TEST(Property, FindsTheInstructionsAtWhichAnEventIsLost) {
    std::string const minimal = find<EventCounter_counts_an_event_whenever_it_comes_property>("event counter", 20'000);
    EXPECT_NE(minimal.find("instructions"), std::string::npos);
}

/// What the store should be: a map with one level of undo.
struct StoreModel {
    std::map<char, int> now, before;
    bool open = false;
};

using StoreCommand = rc::state::Command<StoreModel, Trail>;

/// A line and its answer.
class Line : public StoreCommand {
public:
    void run(const StoreModel& model, Trail& store) const override {
        store.type(text() + "\n");
        RC_ASSERT(store.run_until(serial("\n"), milliseconds(100)));
        StoreModel next = model;
        apply(next);
        RC_ASSERT(std::string{store.output()} == "ok " + std::to_string(next.now.size()) + "\n");
    }
    void show(std::ostream& to) const override { to << text(); }

protected:
    virtual std::string text() const = 0;
};

class Set : public Line {
public:
    void apply(StoreModel& model) const override { model.now[key_] = value_; }

private:
    std::string text() const override { return std::string{"set "} + key_ + " " + std::to_string(value_); }
    char key_ = *rc::gen::inRange('a', 'e');
    int value_ = *rc::gen::inRange(0, 10);
};

class Delete : public Line {
public:
    void apply(StoreModel& model) const override { model.now.erase(key_); }

private:
    std::string text() const override { return std::string{"del "} + key_; }
    char key_ = *rc::gen::inRange('a', 'e');
};

class Begin : public Line {
public:
    void apply(StoreModel& model) const override {
        model.before = model.now;
        model.open = true;
    }

private:
    std::string text() const override { return "begin"; }
};

class Commit : public Line {
public:
    void apply(StoreModel& model) const override { model.open = false; }

private:
    std::string text() const override { return "commit"; }
};

class Rollback : public Line {
public:
    void apply(StoreModel& model) const override {
        if (model.open) model.now = model.before;
        model.open = false;
    }

private:
    std::string text() const override { return "rollback"; }
};

class KvStore : public GuestTest {
protected:
    KvStore() {
        machine(kv_store());
        warm(serial("ready\n"));
    }
};

RAMET_DEFINE_PROP(KvStore, behaves_like_a_map, ()) {
    auto store = warm().trail();
    rc::state::check(StoreModel{}, store, rc::state::gen::execOneOfWithArgs<Set, Delete, Begin, Commit, Rollback>());
}

TEST(Property, FindsTheFourCommandsThatLoseAKey) {
    std::string const minimal = find<KvStore_behaves_like_a_map_property>("key-value store", 2000);
    EXPECT_EQ(std::count(minimal.begin(), minimal.end(), '\n'), 4) << minimal;
    for (const char* const part : {"set a", "begin", "del a", "rollback"}) EXPECT_NE(minimal.find(part), std::string::npos) << minimal;
}

RAMET_PROP(KvStore, answers_every_line, ()) {
    auto child = warm().fork();
    std::string const line = *rc::gen::container<std::string>(rc::gen::elementOf(std::string{"abcdegt 0123:=x"}));
    child.type(line + "\n");
    RC_ASSERT(child.run_until(serial("\n"), milliseconds(100)));
}

/// The folder of tools/guest, or nothing where Debian's kernel cannot be had.
std::string guest_folder() {
    std::FILE* const pipe = ::popen(RAMET_GUEST_TOOL " cloud", "r");
    std::string line;
    for (int c; (c = std::fgetc(pipe)) != EOF && c != '\n';) line.push_back(static_cast<char>(c));
    return ::pclose(pipe) == 0 ? line : "";
}

class LineParser : public GuestTest {
protected:
    LineParser() {
        Configuration configuration;
        configuration.kernel = guest_folder_ + "/vmlinuz";
        configuration.initrd = RAMET_LINE_PARSER;
        configuration.append = "console=ttyS0 quiet";
        configuration.memory_bytes = u64{128} << 20;
        configuration.unpack = Unpack::host;
        machine(configuration);
        warm(serial("? "));
    }

private:
    static const std::string guest_folder_;
};

const std::string LineParser::guest_folder_ = guest_folder();

RAMET_DEFINE_PROP(LineParser, survives_any_line, ()) {
    auto const line = *rc::gen::container<std::string>(rc::gen::elementOf(std::string{"a=;%0f"})).as("line");
    auto child = warm().fork();
    child.type(line + "\n");
    RC_ASSERT(child.run_until(serial("? "), milliseconds(200)));
    RC_ASSERT(output_of(*child.record(), Channel::serial).find("crashed") == std::string::npos);
}

TEST(Property, FindsTheLineThatCrashesAParserUnderLinux) {
    if (guest_folder().empty()) GTEST_SKIP() << "NOT RUN: tools/guest could not fetch a kernel";
    std::string const minimal = find<LineParser_survives_any_line_property>("line parser", 5000);
    EXPECT_EQ(minimal, "\"=%0\"");
}

TEST(WarmStates, AreOfTheSameMachineOnly) {
    Configuration const machine = kv_store();
    Configuration later = machine;
    later.rtc += 1;
    auto& states = detail::WarmStates::of_process();
    EXPECT_EQ(states.find(machine, "", {}), states.find(machine, "", {}));
    EXPECT_NE(states.find(machine, "", {}), states.find(later, "", {}));
    EXPECT_NE(states.find(machine, "", {}), states.find(machine, "", {wait(milliseconds(1))}));
}

}  // namespace
}  // namespace ramet
