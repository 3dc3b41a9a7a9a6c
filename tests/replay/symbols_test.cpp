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
