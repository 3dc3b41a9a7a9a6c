// INVPCID outside 64-bit code (SDM volume 2, INVPCID: real mode checks as protected mode does, virtual-8086 mode is #GP(0)). Long mode: tests/guests/pcid.S.
#include <gtest/gtest.h>

#include "stand.h"

namespace ramet {
namespace {

constexpr int GP = 13;
constexpr u64 descriptor = 0x5000;

/// invpcid eax, [5000h] in 16-bit code, in real mode or in virtual-8086 mode.
class Narrow : public Stand {
public:
    explicit Narrow(bool v86) : Stand({0x66, 0x0f, 0x38, 0x82, 0x06, 0x00, 0x50}) {
        for (unsigned n = 0; n < 6; ++n) cpu().seg[n] = {0, static_cast<u16>(v86 ? 0xf3 : n == CS ? 0x9b : 0x93), 0xffff, 0};
        if (v86) {
            constexpr u64 task = 0x4000;
            cpu().rflags |= rflags::VM;
            cpu().cpl = 3;
            cpu().seg[TR] = {0x28, 0x8b, 0x67, task};
            poke32(task + 4, stack);
            poke32(task + 8, 0x10);
        } else {
            cpu().cr0 &= ~cr0::PE;
            cpu().idtr = {0, 0x3ff};
            poke32(4 * GP, handlers + GP);
        }
    }
};

TEST(Invpcid, InRealModeChecksTypeAndDescriptor) {
    for (u32 const type : {0u, 1u, 2u, 3u, 4u}) {
        Narrow s{false};
        s.cpu().gpr[RAX] = type;
        s.run(1);
        EXPECT_EQ(s.entered(), type > 3 ? GP : -1) << type;
    }
    Narrow reserved{false};
    reserved.poke32(descriptor, 0x1000);
    reserved.run(1);
    EXPECT_EQ(reserved.entered(), GP);
    Narrow with_pcid{false};
    with_pcid.poke32(descriptor, 1);
    with_pcid.run(1);
    EXPECT_EQ(with_pcid.entered(), GP) << "a PCID without CR4.PCIDE";
}

TEST(Invpcid, InVirtual8086ModeIsRefused) {
    Narrow s{true};
    s.run(1);
    EXPECT_EQ(s.entered(), GP);
    EXPECT_EQ(s.frame(0), 0u);
}

}  // namespace
}  // namespace ramet
