#include "replay/symbols.h"

#include "machines.h"

namespace ramet {
namespace {

TEST(Symbols, NamesAddresses) {
    Symbols const symbols = must(Symbols::parse(file_bytes(RAMET_DEVICES_GUEST), "devices.elf"));
    EXPECT_EQ(symbols.name(0x10000c), "_start");
    EXPECT_EQ(symbols.name(0x10000e), "_start+2");
    EXPECT_EQ(symbols.name(0x10), "");
    EXPECT_EQ(symbols.physical_name(GuestPhys{0x10000c}), "_start");
    EXPECT_EQ(symbols.physical_name(GuestPhys{0x90000000}), "");
}

TEST(Symbols, FindAddressesByName) {
    Symbols const symbols = must(Symbols::parse(file_bytes(RAMET_DEVICES_GUEST), "devices.elf"));
    EXPECT_EQ(symbols.address("_start"), GuestVirt{0x10000c});
    EXPECT_FALSE(symbols.address("_star"));
}

TEST(Symbols, OfASystemMapAndOfKallsyms) {
    Symbols const map = must(Symbols::parse_map("ffffffff81000000 T _text\nffffffff81000000 T _stext\nffffffff82001000 d jiffies\n", "System.map"));
    EXPECT_EQ(map.address("_stext"), GuestVirt{0xffffffff81000000});
    EXPECT_EQ(map.name(0xffffffff82001008), "jiffies+8");
    Symbols const dump = must(Symbols::parse_map("ffffffffc0001000 t open\t[ext4]\nffffffffc0000500 t open\t[xfs]\n", "kallsyms"));
    EXPECT_EQ(dump.address("open"), GuestVirt{0xffffffffc0000500}) << "of two symbols of one name, the lower";
    EXPECT_EQ(Symbols::parse_map("ffffffff81000000 T _text\nwhat\n", "m").error().text,
              "m:2: expected an address, a type and a name, as \"ffffffff81000000 T _text\"");
    EXPECT_EQ(Symbols::parse_map("0000000000000000 T _text\n", "m").error().text,
              "m: has no symbols, or all of them at address 0 (kallsyms needs root to be read)");
}

TEST(Symbols, OfADamagedFileAreAnErrorOrFewer) {
    std::vector<u8> const good = file_bytes(RAMET_DEVICES_GUEST);
    Prng random = Prng::seeded(1);
    for (unsigned i = 0; i < 3000; ++i) {
        std::vector<u8> bytes = good;
        for (unsigned n = 0; n < 3; ++n) bytes[random.below(i % 2 ? 64 : bytes.size())] = static_cast<u8>(random.next());
        if (i % 5 == 0) bytes.resize(random.below(bytes.size()));
        auto const symbols = Symbols::parse(bytes, "devices.elf");
        EXPECT_TRUE(!symbols || symbols->size() <= bytes.size());
    }
}

}  // namespace
}  // namespace ramet
