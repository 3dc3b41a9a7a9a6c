// A ByteLink that encrypts and authenticates: TLS 1.3 with a key that both sides know beforehand (RFC 8446, section 2.2), over any other one. There are
// no certificates; a peer without the key does not come past the handshake. The library is confined to secure_link.cpp.
// Tests: tests/remote/transport_test.cpp.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "remote/byte_link.h"

namespace ramet {

using SharedKey = std::vector<u8>;

/// 32 bytes: what SHA-256 makes of the file. A file that others may read, or with less than 16 bytes, is refused.
Expected<SharedKey> read_key(const std::string& path);

Expected<std::unique_ptr<ByteLink>> secure_client(std::unique_ptr<ByteLink> plain, const SharedKey& key);
Expected<std::unique_ptr<ByteLink>> secure_server(std::unique_ptr<ByteLink> plain, const SharedKey& key);

}  // namespace ramet
