// A page that the memory's source cannot give: the processor stops before the instruction that needs it, whatever it needs it for, and the report says
// why. When the page can be had after all, the run goes on as if nothing had been.
#include <gtest/gtest.h>

#include "base/state.h"
#include "stand.h"

namespace ramet {
namespace {

constexpr u64 data = 0x20000, directory = 0x40000, table = 0x41000;

/// Gives the pages of another memory, but for one.
struct Reluctant final : PageSource {
    explicit Reluctant(Memory pages) : whole(std::move(pages)) {}
    bool fetch(Frame frame, Memory& into) override {
        if (frame == refused) return false;
        std::array<u8, page_size> content;
        whole.copy_out(address_of(frame), content);
        return into.install(frame, content);
    }
    std::string error() const override { return "not today"; }

    Memory whole;
    Frame refused{~u64{0}};
};

struct Case {
    const char* name;
    std::vector<u8> program;
    u64 refused;        // an address
    bool paging = false;
    u64 at = Stand::code;
};

struct Remote : Stand {
    explicit Remote(const Case& c) : Stand({}) {
        poke(c.at, c.program);
        poke(data, {0x40, 0x40});  // inc eax
        cpu().rip = c.at;
        if (c.paging) {
            for (u32 i = 0; i < 256; ++i) poke32(table + 4 * i, i << page_shift | 3);
            poke32(directory, table | 3);
            cpu().cr3 = directory;
            cpu().cr0 |= cr0::PG;
        }
        source = std::make_shared<Reluctant>(memory.fork());
        memory = Memory{std::make_shared<PagePool>(), {{Frame{0}, 256}}, source};
    }
    std::shared_ptr<Reluctant> source;
};

using LostPage = testing::TestWithParam<Case>;

TEST_P(LostPage, StopsTheProcessorUntilItCanBeHad) {
    Remote never{GetParam()}, late{GetParam()};
    Digest const before = state_digest(late.cpu());
    late.source->refused = frame_of(GuestPhys{GetParam().refused});
    EXPECT_EQ(late.run(1), Stop::unsupported);
    EXPECT_NE(late.interpreter.report().find("cannot be had: not today"), std::string::npos) << late.interpreter.report();
    EXPECT_EQ(state_digest(late.cpu()), before);
    late.source->refused = Frame{~u64{0}};
    EXPECT_EQ(late.run(1), never.run(1));
    EXPECT_EQ(state_digest(late.cpu()), state_digest(never.cpu()));
    EXPECT_EQ(late.memory.digest(), never.memory.digest());
}

INSTANTIATE_TEST_SUITE_P(Needed, LostPage,
                         testing::Values(Case{"ByARead", {0xa1, 0, 0, 2, 0}, data},                       // mov eax, [20000h]
                                         Case{"ByAWrite", {0xa3, 0, 0, 2, 0}, data},                      // mov [20000h], eax
                                         Case{"ByTheSecondHalfOfARead", {0xa1, 0xfe, 0xff, 1, 0}, data},  // mov eax, [1FFFEh]
                                         Case{"ByTheSecondHalfOfAWrite", {0xa3, 0xfe, 0xff, 1, 0}, data},
                                         Case{"ByAFetch", {0x40}, data, false, data},
                                         Case{"ByTheEndOfAnInstruction", {0xb8, 1, 2, 3, 4}, data, false, data - 2},
                                         Case{"ByTheDirectory", {0x40}, directory, true}, Case{"ByTheTable", {0x40}, table, true},
                                         Case{"ByTheInterruptTable", {0xcc}, Stand::idt},                 // int3
                                         Case{"ByTheStackOfAnException", {0x0f, 0x0b}, Stand::stack - 4}),  // ud2
                         [](const auto& each) { return each.param.name; });

TEST(LostPages, ThatAnInterruptNeedsAreNoShutdown) {
    Remote stand{Case{"", {0x40}, 0}};
    stand.source->refused = frame_of(GuestPhys{Stand::stack - 4});
    stand.bus.nmi = true;
    EXPECT_EQ(stand.run(1), Stop::unsupported);
    EXPECT_NE(stand.interpreter.report().find("not today"), std::string::npos) << stand.interpreter.report();
}

}  // namespace
}  // namespace ramet
