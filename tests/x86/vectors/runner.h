// Runs the vectors of one file through a processor behind the C interface and compares states, memory and exceptions.
//
// One Runner drives one processor on one thread. Memory is filled once; each vector's changes are undone after it, and
// all regions are compared with what they should hold, so a stray write shows too.
// Tests: runner_test.cpp, with a processor that is wrong on purpose.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "vector_file.h"

namespace ramet::vectors {

struct Failure {
    u64 ordinal = 0;
    std::string instruction;
    std::vector<std::string> differences;
};

struct Outcome {
    u32 passed = 0;
    u32 total = 0;
    bool modelled = true;  // false: the processor declined the file
    std::vector<Failure> failures;
};

/// Groups of instructions that neither CPU model has.
bool is_modelled(const std::string& group);

class Runner {
public:
    Runner(const VectorFile& file, const ox_api& api);
    ~Runner();
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;

    bool ready() const { return processor_ != nullptr; }
    /// Nothing when the vector passed.
    std::optional<Failure> run(u32 index);

private:
    struct Region {
        u64 base = 0;
        std::vector<u8> initial;
        std::vector<u8> expected;
    };

    void fill();
    void place(u64 address, std::span<const u8> bytes, bool in_processor);
    void ignore(const std::vector<MemoryRange>& ranges);
    void restore(const Vector& vector, u64 code_address);
    u64 linear(u64 base, u64 offset) const;
    std::vector<std::string> compare_memory(const Vector& vector);

    const VectorFile& file_;
    const ox_api& api_;
    void* processor_ = nullptr;
    std::vector<Region> regions_;
    std::vector<u8> actual_;
};

/// All vectors of a file, or the one with this ordinal.
Outcome run_file(const VectorFile& file, const ox_api& api, std::optional<u64> ordinal = {});

}  // namespace ramet::vectors
