#include "machine/devices/i8042.h"

#include <gtest/gtest.h>

#include "rig.h"

namespace ramet {
namespace {

class I8042Test : public testing::Test {
protected:
    std::vector<u32> answers() {
        std::vector<u32> bytes;
        while (rig.read(1) & 1) bytes.push_back(rig.read(0));
        return bytes;
    }
    Rig<I8042> rig;
};

TEST_F(I8042Test, SelfTest) {
    rig.write(1, 0xaa);
    EXPECT_EQ(answers(), std::vector<u32>{0x55});
}

TEST_F(I8042Test, CommandByteReadsBack) {
    rig.write(1, 0x60);
    rig.write(0, 0x47);
    rig.write(1, 0x20);
    EXPECT_EQ(answers(), std::vector<u32>{0x47});
}

TEST_F(I8042Test, KeyboardIdentifies) {
    rig.write(0, 0xf2);
    EXPECT_EQ(answers(), (std::vector<u32>{0xfa, 0xab, 0x83}));
}

TEST_F(I8042Test, KeyboardTakesArguments) {
    rig.write(0, 0xed);
    rig.write(0, 0x02);
    EXPECT_EQ(answers(), (std::vector<u32>{0xfa, 0xfa}));
}

TEST_F(I8042Test, EachAnswerIsAnEdge) {
    rig.write(0, 0xf2);
    answers();
    EXPECT_EQ(rig.rises.size(), 3);
    EXPECT_FALSE(rig.line);
}

TEST_F(I8042Test, ThereIsNoMouse) {
    rig.write(1, 0xa9);
    EXPECT_NE(answers(), std::vector<u32>{0x00});
}

TEST_F(I8042Test, PulseResets) {
    rig.write(1, 0xfe);
    EXPECT_EQ(rig.requests, std::vector{Request::reset});
}

TEST_F(I8042Test, OutputPortResets) {
    rig.write(1, 0xd1);
    rig.write(0, 0x02);
    EXPECT_EQ(rig.requests, std::vector{Request::reset});
}

TEST_F(I8042Test, AFullQueueLosesBytes) {
    for (int i = 0; i < 100; ++i) rig.write(0, 0xee);
    EXPECT_EQ(answers().size(), 16);
}

}  // namespace
}  // namespace ramet
