#include "machine/boot/acpi.h"

#include <gtest/gtest.h>

#include <numeric>

#include "images.h"

namespace ramet {
namespace {

class AcpiTest : public testing::Test {
protected:
    AcpiTest() { rsdp = *place_acpi_tables(placement); }
    Bytes bytes(u64 at, std::size_t size) {
        Bytes out(size);
        EXPECT_TRUE(memory.copy_out(GuestPhys{at}, out));
        return out;
    }
    Bytes table(u64 at) { return bytes(at, load_le<u32>(bytes(at, 8).data() + 4)); }
    static std::string signature(const Bytes& table) { return {table.begin(), table.begin() + 4}; }
    static u8 sum(const Bytes& bytes) { return static_cast<u8>(std::accumulate(bytes.begin(), bytes.end(), 0U)); }

    Memory memory{std::make_shared<PagePool>(), RamLayout::of(16 << 20).ranges()};
    Placement placement{memory, RamLayout::of(16 << 20)};
    u64 rsdp = 0;
};

TEST_F(AcpiTest, RootPointerIsWhereSystemsLook) {
    EXPECT_EQ(rsdp % 16, 0);
    EXPECT_GE(rsdp, 0xe0000);
    EXPECT_LT(rsdp, 0x100000);
    Bytes const root = bytes(rsdp, 36);
    EXPECT_EQ(std::string(root.begin(), root.begin() + 8), "RSD PTR ");
    EXPECT_EQ(sum(bytes(rsdp, 20)), 0);
    EXPECT_EQ(sum(root), 0);
}

TEST_F(AcpiTest, EveryTableAddsUpToZero) {
    Bytes const root = bytes(rsdp, 36);
    for (auto const& [place, width] : {std::pair{u64{load_le<u32>(&root[16])}, 4U}, {load_le<u64>(&root[24]), 8U}}) {
        Bytes const index = table(place);
        EXPECT_EQ(sum(index), 0) << signature(index);
        std::vector<std::string> names;
        for (std::size_t at = 36; at < index.size(); at += width) {
            Bytes const entry = table(width == 4 ? load_le<u32>(&index[at]) : load_le<u64>(&index[at]));
            EXPECT_EQ(sum(entry), 0) << signature(entry);
            names.push_back(signature(entry));
        }
        EXPECT_EQ(names, (std::vector<std::string>{"FACP", "APIC"}));
    }
}

TEST_F(AcpiTest, DsdtAddsUpToZero) {
    Bytes const dsdt = make_dsdt();
    EXPECT_EQ(signature(dsdt), "DSDT");
    EXPECT_EQ(load_le<u32>(&dsdt[4]), dsdt.size());
    EXPECT_EQ(sum(dsdt), 0);
}

}  // namespace
}  // namespace ramet
