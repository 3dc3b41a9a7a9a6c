// Addresses and what carries bytes: Unix sockets, TCP, and TCP with a shared key.
#include "remote/address.h"

#include <array>
#include <thread>

#include <sys/stat.h>

#include "../replay/machines.h"
#include "remote/link.h"
#include "remote/secure_link.h"

namespace ramet {
namespace {

TEST(Addresses, AreReadAndWritten) {
    for (const char* const text : {"unix:/a/b", "tcp:127.0.0.1:7070", "tcp:[::1]:1", "ssh:user@host", "-"}) EXPECT_EQ(must(Address::parse(text)).text(), text);
    for (const char* const text : {"", "unix:", "tcp:host", "tcp:host:99999", "tcp::1", "tcp:h:1x", "http://x"}) EXPECT_FALSE(Address::parse(text)) << text;
}

TEST(Addresses, TcpBeyondLoopbackWantsAKey) {
    EXPECT_FALSE(Listener::open(must(Address::parse("tcp:0.0.0.0:0"))));
    EXPECT_FALSE(connect_to(must(Address::parse("tcp:192.0.2.1:7"))));
}

/// Sends a megabyte both ways; false when the link broke.
bool exchange(Link& a, Link& b) {
    std::vector<u8> const bytes(1 << 20, 7);
    a.send(1, bytes);
    b.send(2, bytes);
    bool a_has = false, b_has = false;
    for (int i = 0; i < 20'000 && !(a_has && b_has); ++i) {
        if (!a.flush() || !b.flush()) return false;
        auto const at_a = a.receive(), at_b = b.receive();
        if (!at_a || !at_b) return false;
        a_has = a_has || (*at_a && (*at_a)->bytes.size() == bytes.size());
        b_has = b_has || (*at_b && (*at_b)->bytes.size() == bytes.size());
        if (i > 1000) a.wait(100'000);
    }
    return a_has && b_has;
}

struct Carrying : testing::Test {
    Directory directory;
    void key(const std::string& name, const std::string& text, mode_t mode = 0600) {
        write_file(directory / name, {text.begin(), text.end()});
        chmod((directory / name).c_str(), mode);
    }
    bool carries(const std::string& place, const std::string& server_key, const std::string& client_key) {
        Listener listener = must(Listener::open(must(Address::parse(place)), server_key));
        Link client{must(connect_to(listener.address(), client_key))};
        std::unique_ptr<ByteLink> accepted;
        while (!accepted) accepted = must(listener.accept());
        Link server{std::move(accepted)};
        return exchange(client, server);
    }
};

TEST_F(Carrying, UnixSocketsAndTcp) {
    EXPECT_TRUE(carries("unix:" + (directory / "s"), {}, {}));
    EXPECT_TRUE(carries("tcp:127.0.0.1:0", {}, {}));
}

TEST_F(Carrying, ASharedKeyEncrypts) {
    key("key", "correct horse battery staple");
    EXPECT_TRUE(carries("tcp:127.0.0.1:0", directory / "key", directory / "key"));
}

TEST_F(Carrying, AnotherKeyOrNoneDoesNotComeThrough) {
    key("key", "correct horse battery staple");
    key("other", "incorrect horse battery staple");
    EXPECT_FALSE(carries("tcp:127.0.0.1:0", directory / "key", directory / "other"));
    EXPECT_FALSE(carries("tcp:127.0.0.1:0", directory / "key", {}));
}

TEST_F(Carrying, AKeyThatOthersMayReadOrThatIsShortIsRefused) {
    key("open", "correct horse battery staple", 0644);
    key("short", "0123456789abcde");
    EXPECT_FALSE(read_key(directory / "open"));
    EXPECT_FALSE(read_key(directory / "short"));
    EXPECT_FALSE(read_key(directory / "none"));
}

TEST(SshCommand, IsReadByAShellAndGetsTheHostAndTheReceiver) {
    auto const link = must(connect_to(must(Address::parse("ssh:me@elsewhere")), {}, "printf '%s|' -F 'a b'"));
    std::string const expected = "-F|a b|--|me@elsewhere|ramet|receive|-|";
    std::string said;
    for (int tries = 0; said.size() < expected.size() && tries < 1000; ++tries) {
        std::array<u8, 256> bytes;
        auto const count = link->read(bytes);
        if (!count) break;
        said.append(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(*count));
        std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
    EXPECT_EQ(said, expected);
}

}  // namespace
}  // namespace ramet
