// A snapshot file around any root: with a head that is in order, so that hashes do not keep a parser's tests from the parser.
#pragma once

#include "base/byte_stream.h"
#include "replay/snapshot.h"

namespace ramet {

inline std::vector<u8> snapshot_around(std::span<const u8> root) {
    ByteWriter to;
    for (char const c : {'R', 'a', 'm', 'e', 't', 'S', 'n', 'p'}) to.put(static_cast<u8>(c));
    to.put(Snapshot::version);
    to.put(u32{0});
    to.put(u64{Snapshot::head_bytes});
    to.put(u64{Snapshot::head_bytes + root.size()});
    to.put(static_cast<u32>(root.size()));
    to.put(static_cast<u32>(root.size()));
    to.raw(sha256_of(root).bytes);
    to.put(digest_of(to.bytes()).lo);
    to.raw(root);
    return to.finish();
}

}  // namespace ramet
