#include "base/sha256.h"

#include <openssl/sha.h>

namespace ramet {

std::string Sha256::hex() const {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (u8 const byte : bytes) {
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

Sha256 sha256_of(std::span<const u8> bytes) {
    Sha256 made;
    static_assert(SHA256_DIGEST_LENGTH == sizeof(made.bytes));
    SHA256(bytes.data(), bytes.size(), made.bytes.data());
    return made;
}

}  // namespace ramet
