#include "base/sha256.h"

#include "base/hex.h"

// The functions with a context of their own. SHA256() of OpenSSL 3 looks its algorithm up by name each time, and brings up every provider the
// first time: as much memory as all else that a restored machine touches before its first instruction.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

namespace ramet {

std::string Sha256::hex() const { return hex_of(bytes); }

struct Sha256Stream::Context {
    SHA256_CTX context;
};

Sha256Stream::Sha256Stream() : context_(std::make_unique<Context>()) { SHA256_Init(&context_->context); }
Sha256Stream::~Sha256Stream() = default;
void Sha256Stream::add(std::span<const u8> bytes) { SHA256_Update(&context_->context, bytes.data(), bytes.size()); }

Sha256 Sha256Stream::finish() {
    Sha256 made;
    static_assert(SHA256_DIGEST_LENGTH == sizeof(made.bytes));
    SHA256_Final(made.bytes.data(), &context_->context);
    return made;
}

Sha256 sha256_of(std::span<const u8> bytes) {
    Sha256Stream stream;
    stream.add(bytes);
    return stream.finish();
}

}  // namespace ramet
