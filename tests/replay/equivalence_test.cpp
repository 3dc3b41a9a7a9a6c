// Equivalence as a property: parent and child with the same inputs have equal digests at every compared Position, on whatever threads and in
// whatever pieces they run, and a replay equals its recording. A failing case shrinks to a short program and a minimal list of inputs.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <thread>

#include "machines.h"
#include "replay/player.h"

namespace ramet {
namespace {

struct Key {
    u64 at;
    u8 byte;
};

/// A loop of random instructions between a serial echo and a jump back, so that inputs matter and nothing can leave the program.
std::vector<u8> program_of(const std::vector<u8>& choices) {
    std::vector<u8> code = {0xbf, 0, 0, 0x20, 0, 0xdb, 0xe3};  // mov edi, 200000h; fninit
    std::size_t const start = code.size();
    static const std::vector<std::vector<u8>> pieces = {
        {0x01, 0xc3},                          // add ebx, eax
        {0x31, 0x1f},                          // xor [edi], ebx
        {0xc1, 0xc3, 0x05},                    // rol ebx, 5
        {0x0f, 0xaf, 0xd8},                    // imul ebx, eax
        {0x83, 0xc7, 0x44},                    // add edi, 44h
        {0x81, 0xe7, 0xff, 0xff, 0x2f, 0x00},  // and edi, 2FFFFFh
        {0x81, 0xcf, 0x00, 0x00, 0x20, 0x00},  // or edi, 200000h
        {0x0f, 0x31},                          // rdtsc
        {0xe4, 0x40},                          // in al, 40h
        {0xe4, 0x60},                          // in al, 60h
        {0xe6, 0xe9},                          // out E9h, al
        {0x66, 0xba, 0xf8, 0x03, 0xec},        // mov dx, 3F8h; in al, dx
        {0xdb, 0x07, 0xd9, 0xfa, 0xd9, 0x1f},  // fild [edi]; fsqrt; fstp [edi]
        {0xf7, 0xe3},                          // mul ebx
    };
    for (u8 const choice : choices) {
        const std::vector<u8>& piece = pieces[choice % pieces.size()];
        code.insert(code.end(), piece.begin(), piece.end());
    }
    code.insert(code.end(), {0x66, 0xba, 0xfd, 0x03, 0xec, 0x66, 0xba, 0xf8, 0x03, 0xec, 0x01, 0xc3});  // poll, receive, add to ebx
    code.push_back(0xe9);
    u32 const back = static_cast<u32>(start) - static_cast<u32>(code.size() + 4);
    for (unsigned i = 0; i < 4; ++i) code.push_back(static_cast<u8>(back >> 8 * i));
    return code;
}

constexpr u64 run_length = 20'000;

/// Runs to the end in pieces, with the keys that come from the present Position on: digests at every thousandth Position.
std::vector<Digest> live(Machine& machine, const std::vector<Key>& keys, u64 piece) {
    NullPorts ports;
    std::vector<Digest> digests;
    auto key = keys.begin();
    while (key != keys.end() && key->at < machine.position().value) ++key;
    while (machine.position().value < run_length) {
        u64 const here = machine.position().value;
        for (; key != keys.end() && key->at == here; ++key) machine.apply({.bytes = {key->byte}});
        u64 to = std::min({here + piece, run_length, (here / 1000 + 1) * 1000});
        if (key != keys.end()) to = std::min(to, key->at);
        machine.run({.position = Position{to}}, ports);
        if (machine.position().value != to) break;
        if (to % 1000 == 0) digests.push_back(machine.digest());
    }
    return digests;
}

std::vector<Key> keys_of(std::vector<u16> places) {
    std::sort(places.begin(), places.end());
    std::vector<Key> keys;
    for (u16 const place : places) keys.push_back({place % run_length, static_cast<u8>(place * 7)});
    std::sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) { return a.at < b.at; });
    return keys;
}

RC_GTEST_PROP(Equivalence, ParentAndChildAgreeAndReplayEqualsRecord, (std::vector<u8> choices, std::vector<u16> places, u16 fork_at, u8 piece)) {
    Subject subject;
    subject.configuration.kernel = "kernel";
    subject.configuration.memory_bytes = u64{4} << 20;
    subject.images.kernel = {"kernel", "", multiboot_kernel(program_of(choices))};
    std::vector<Key> const keys = keys_of(places);
    NullPorts ports;

    Machine straight = subject.machine();
    std::vector<Digest> const expected = live(straight, keys, run_length);

    Machine parent = subject.machine();
    u64 const fork_position = fork_at % run_length;
    for (const Key& key : keys) {
        if (key.at >= fork_position) break;
        parent.run({.position = Position{key.at}}, ports);
        parent.apply({.bytes = {key.byte}});
    }
    parent.run({.position = Position{fork_position}}, ports);
    Machine child = parent.fork();
    std::vector<Digest> of_parent, of_child;
    {
        std::jthread const one{[&] { of_parent = live(parent, keys, run_length); }};
        std::jthread const two{[&] { of_child = live(child, keys, piece + 1U); }};
    }
    RC_ASSERT(of_parent == of_child);
    RC_ASSERT(of_parent.size() <= expected.size());
    RC_ASSERT(std::equal(of_parent.rbegin(), of_parent.rend(), expected.rbegin()));

    std::string const path = testing::TempDir() + "ramet-equivalence-" + std::to_string(::getpid()) + ".rlog";
    Machine recorded = subject.machine();
    {
        Recorder recorder = must(Recorder::create(path, subject.header(), {.digest_every = 1000}));
        RunResult result;
        for (const Key& key : keys) {
            result = must(recorder.run(recorded, {.position = Position{key.at}}, ports));
            must(recorder.apply(recorded, {.bytes = {key.byte}}));
        }
        result = must(recorder.run(recorded, {.position = Position{run_length}}, ports));
        must(recorder.finish(recorded, result));
    }
    Player player{subject.machine(), LineageCursor{must(Lineage::open(path))}};
    Progress const progress = must(player.run_to_end(ports));
    std::filesystem::remove(path);
    RC_ASSERT(progress.kind == Progress::Kind::ended);
    RC_ASSERT(player.machine().digest() == straight.digest());
}

}  // namespace
}  // namespace ramet
