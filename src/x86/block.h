// Decoded code: blocks of ready-to-run ops that hang on the page they were decoded from, and the jump cache that finds them.
#pragma once

#include <array>
#include <bitset>

#include "cow/page_pool.h"
#include "x86/core.h"

namespace ramet {

class CodePage final : public PageAttachment {
public:
    /// Some decoded instruction has a byte in [offset, offset + size).
    bool covers(unsigned offset, unsigned size) const {
        for (unsigned i = offset; i < offset + size; ++i)
            if (bytes_.test(i)) return true;
        return false;
    }

private:
    std::bitset<page_size> bytes_;
};

class BlockCache {
public:
    void forget_jumps() {}
};

}  // namespace ramet
