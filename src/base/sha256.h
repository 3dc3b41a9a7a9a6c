// SHA-256 names content that crosses trust boundaries: pages in snapshots, images in logs, pages on the wire. Digests that only compare
// machines are digest.h. The library is confined to sha256.cpp.
// Tests: tests/base/sha256_test.cpp.
#pragma once

#include <array>
#include <compare>
#include <memory>
#include <span>
#include <string>

#include "base/types.h"

namespace ramet {

struct Sha256 {
    std::array<u8, 32> bytes = {};

    friend constexpr auto operator<=>(const Sha256&, const Sha256&) = default;
    std::string hex() const;
};

Sha256 sha256_of(std::span<const u8> bytes);

/// The same of bytes that come piece by piece.
class Sha256Stream {
public:
    Sha256Stream();
    ~Sha256Stream();
    void add(std::span<const u8> bytes);
    /// Once.
    Sha256 finish();

private:
    struct Context;
    std::unique_ptr<Context> context_;
};

}  // namespace ramet
