// A program outside the tree, built against an installation: it boots a guest of its own, forks it and compares digests.
#include <cstdio>
#include <memory>
#include <ramet/ramet.hpp>

#ifdef CHECK
#error "the public header leaks a macro"
#endif

namespace {

/// A multiboot kernel by the a.out kludge, loaded at 1 MiB: reads a byte from COM1 once there is one, writes it back, leaves with it.
std::vector<ramet::u8> echo_kernel() {
    std::vector<ramet::u8> image;
    auto const word = [&image](ramet::u32 value) {
        for (unsigned i = 0; i < 4; ++i) image.push_back(static_cast<ramet::u8>(value >> 8 * i));
    };
    constexpr ramet::u32 magic = 0x1badb002, flags = 0x10000, load = 0x100000, header_bytes = 32;
    for (ramet::u32 value : {magic, flags, 0 - magic - flags, load, load, ramet::u32{0}, ramet::u32{0}, load + header_bytes}) word(value);
    for (ramet::u8 byte : {0x66, 0xba, 0xfd, 0x03,  // mov dx, 3FDh
                           0xec,                    // in al, dx
                           0xa8, 0x01,              // test al, 1
                           0x74, 0xfb,              // jz back to in
                           0x66, 0xba, 0xf8, 0x03,  // mov dx, 3F8h
                           0xec,                    // in al, dx
                           0xee,                    // out dx, al
                           0xe6, 0xf4})             // out F4h, al
        image.push_back(byte);
    return image;
}

}  // namespace

int main() {
    ramet::Configuration configuration;
    configuration.kernel = "built in";
    auto made = ramet::Machine::create(configuration, {.kernel = {"built in", "", echo_kernel()}, .modules = {}}, std::make_shared<ramet::PagePool>());
    if (!made) return std::puts(made.error().text.c_str()), 1;
    ramet::Machine parent = *std::move(made);
    ramet::BufferPorts ports;
    parent.run({.position = ramet::Position{1000}}, ports);
    ramet::Machine child = parent.fork();
    bool const equal = child.digest() == parent.digest();
    child.apply({.bytes = {'R'}});
    ramet::RunResult const end = child.run({.position = ramet::Position{1'000'000}}, ports);
    bool const answered = end.reason == ramet::StopReason::exit && end.value == 'R' && ports.serial == "R";
    bool const apart = child.digest() != parent.digest();
    std::printf("equal %d, answered %d, apart %d\n", equal, answered, apart);
    return equal && answered && apart ? 0 : 1;
}
