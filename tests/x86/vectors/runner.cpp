#include "runner.h"

#include <algorithm>
#include <cstring>

#include "compare.h"
#include "disassemble.h"

namespace ramet::vectors {

namespace {

std::string hex(u64 value, unsigned digits) {
    std::string text(digits, '0');
    for (unsigned i = digits; i-- > 0; value >>= 4) {
        text[i] = "0123456789abcdef"[value & 15];
    }
    return text;
}

}  // namespace

bool is_modelled(const std::string& group) {
    return !group.starts_with("avx") && group != "fma" && group != "sha" && group != "bmi";
}

Runner::Runner(const VectorFile& file, const ox_api& api) : file_(file), api_(api) {
    ox_config const config = file.config();
    processor_ = api.create(&config);
    for (auto const& area : file.header().regions) {
        Region region;
        region.base = area.base;
        region.initial.resize(area.size, code_filler);
        if (!(area.prot & region_is_code_filler)) {
            for (u64 at = 0; at < area.size; at += 8) {
                u64 const value = background(file.header(), area.base + at);
                std::memcpy(region.initial.data() + at, &value, 8);
            }
        }
        regions_.push_back(std::move(region));
    }
    if (ready()) {
        fill();
    }
}

Runner::~Runner() {
    if (ready()) {
        api_.destroy(processor_);
    }
}

void Runner::fill() {
    for (auto& region : regions_) {
        region.expected = region.initial;
        api_.write(processor_, region.base, region.initial.data(), static_cast<u32>(region.initial.size()));
    }
}

u64 Runner::linear(u64 base, u64 offset) const {
    u64 const address = base + offset;
    return file_.header().mode == Mode::long64 ? address : static_cast<u32>(address);
}

/// Changes what memory should hold, and what it holds; bytes outside the regions are not there.
void Runner::place(u64 address, std::span<const u8> bytes, bool in_processor) {
    for (auto& region : regions_) {
        u64 const first = std::max(address, region.base);
        u64 const last = std::min(address + bytes.size(), region.base + region.expected.size());
        if (first >= last) {
            continue;
        }
        auto const part = bytes.subspan(first - address, last - first);
        std::memcpy(region.expected.data() + (first - region.base), part.data(), part.size());
        if (in_processor) {
            api_.write(processor_, first, part.data(), static_cast<u32>(part.size()));
        }
    }
}

/// Takes the ranges from what the processor left, so that they compare equal.
void Runner::ignore(const std::vector<MemoryRange>& ranges) {
    constexpr u64 size_max = 4096;
    for (auto const& range : ranges) {
        for (u64 i = 0; i < std::min(range.size, size_max); ++i) {
            for (auto& region : regions_) {
                u64 const at = range.address + i - region.base;
                if (at < region.expected.size()) {
                    api_.read(processor_, range.address + i, &region.expected[at], 1);
                }
            }
        }
    }
}

std::vector<std::string> Runner::compare_memory(const Vector& vector) {
    constexpr std::size_t reported_max = 4;
    for (auto const& item : vector.memory_after) {
        place(item.address, item.bytes, false);
    }
    ignore(vector.ignored_memory);
    std::vector<std::string> differences;
    for (auto const& region : regions_) {
        actual_.resize(region.expected.size());
        api_.read(processor_, region.base, actual_.data(), static_cast<u32>(actual_.size()));
        if (std::memcmp(actual_.data(), region.expected.data(), actual_.size()) == 0) {
            continue;
        }
        for (std::size_t at = 0; at + 8 <= actual_.size() && differences.size() < reported_max; at += 8) {
            u64 have = 0;
            u64 want = 0;
            std::memcpy(&have, actual_.data() + at, 8);
            std::memcpy(&want, region.expected.data() + at, 8);
            if (have != want) {
                differences.push_back("[" + hex(region.base + at, 8) + "] is " + hex(have, 16) + ", recorded " + hex(want, 16));
            }
        }
    }
    return differences;
}

void Runner::restore(const Vector& vector, u64 code_address) {
    auto const undo = [&](u64 address, u64 size) {
        for (auto& region : regions_) {
            u64 const first = std::max(address, region.base);
            u64 const last = std::min(address + size, region.base + region.expected.size());
            if (first < last) {
                place(first, std::span(region.initial).subspan(first - region.base, last - first), true);
            }
        }
    };
    undo(code_address, vector.instruction.size());
    for (auto const* items : {&vector.memory_before, &vector.memory_after}) {
        for (auto const& item : *items) {
            undo(item.address, item.bytes.size());
        }
    }
    for (auto const& range : vector.ignored_memory) {
        undo(range.address, range.size);
    }
}

std::optional<Failure> Runner::run(u32 index) {
    Header const& header = file_.header();
    Vector const vector = file_.parse(index);
    ox_state const before = state_before(header, vector);
    ox_state const expected = state_after(header, vector, before);
    u64 const code_address = linear(header.segments[1].base, before.rip);

    place(code_address, vector.instruction, true);
    for (auto const& item : vector.memory_before) {
        place(item.address, item.bytes, true);
    }

    ox_state state = before;
    ox_exc exception = {};
    Failure failure;
    if (api_.step(processor_, &state, &exception) != 0) {
        failure.differences.push_back("the processor gave up");
    } else {
        failure.differences = compare_exceptions(header, vector, exception);
        auto const registers = compare_registers(header, vector, expected, state);
        failure.differences.insert(failure.differences.end(), registers.begin(), registers.end());
    }
    auto const memory = compare_memory(vector);
    failure.differences.insert(failure.differences.end(), memory.begin(), memory.end());
    restore(vector, code_address);
    if (failure.differences.empty()) {
        return {};
    }
    if (!memory.empty()) {
        fill();
    }
    failure.ordinal = vector.ordinal;
    failure.instruction = disassemble(header.mode, before.rip, vector.instruction);
    return failure;
}

Outcome run_file(const VectorFile& file, const ox_api& api, std::optional<u64> ordinal) {
    Outcome outcome;
    outcome.modelled = is_modelled(file.header().group);
    if (!outcome.modelled) {
        outcome.total = file.size();
        return outcome;
    }
    Runner runner(file, api);
    if (!runner.ready()) {
        outcome.modelled = false;
        outcome.total = file.size();
        return outcome;
    }
    for (u32 i = 0; i < file.size(); ++i) {
        if (ordinal && file.ordinal(i) != *ordinal) {
            continue;
        }
        ++outcome.total;
        if (auto failure = runner.run(i)) {
            outcome.failures.push_back(std::move(*failure));
        } else {
            ++outcome.passed;
        }
    }
    return outcome;
}

}  // namespace ramet::vectors
