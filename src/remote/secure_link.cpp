#include "remote/secure_link.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/sha256.h"
#include "machine/configuration.h"

namespace ramet {

namespace {

constexpr std::size_t key_file_bytes_min = 16;
constexpr std::size_t piece = 64 << 10;
constexpr unsigned char tls_aes_128_gcm_sha256[] = {0x13, 0x01};
constexpr const char* identity = "ramet";

struct FreeContext { void operator()(SSL_CTX* p) const { SSL_CTX_free(p); } };
struct FreeSession { void operator()(SSL* p) const { SSL_free(p); } };

Error tls_error(const char* what) {
    char text[256] = "the peer does not have the key";
    if (unsigned long const code = ERR_get_error()) ERR_error_string_n(code, text, sizeof text);
    ERR_clear_error();
    return Error{std::string{what} + ": " + text};
}

const SharedKey* key_of(SSL* ssl) { return static_cast<const SharedKey*>(SSL_get_app_data(ssl)); }

SSL_SESSION* session_of(SSL* ssl) {
    const SSL_CIPHER* const cipher = SSL_CIPHER_find(ssl, tls_aes_128_gcm_sha256);
    SSL_SESSION* const session = SSL_SESSION_new();
    const SharedKey& key = *key_of(ssl);
    if (cipher == nullptr || session == nullptr || !SSL_SESSION_set1_master_key(session, key.data(), key.size()) || !SSL_SESSION_set_cipher(session, cipher) ||
        !SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION)) {
        SSL_SESSION_free(session);
        return nullptr;
    }
    return session;
}

int use_key(SSL* ssl, const EVP_MD*, const unsigned char** id, std::size_t* id_size, SSL_SESSION** session) {
    *session = session_of(ssl);
    *id = static_cast<const unsigned char*>(static_cast<const void*>(identity));
    *id_size = std::char_traits<char>::length(identity);
    return *session != nullptr;
}

int find_key(SSL* ssl, const unsigned char* id, std::size_t id_size, SSL_SESSION** session) {
    bool const known = std::equal(id, id + id_size, identity, identity + std::char_traits<char>::length(identity));
    *session = known ? session_of(ssl) : nullptr;
    return 1;
}

/// Encrypted bytes go through two buffers in memory, so that the link below may be anything.
class SecureLink final : public ByteLink {
public:
    SecureLink(std::unique_ptr<ByteLink> plain, const SharedKey& key, bool server) : plain_(std::move(plain)), key_(key) {
        context_.reset(SSL_CTX_new(server ? TLS_server_method() : TLS_client_method()));
        CHECK(context_ != nullptr, "a TLS context");
        SSL_CTX_set_min_proto_version(context_.get(), TLS1_3_VERSION);
        SSL_CTX_set_ciphersuites(context_.get(), "TLS_AES_128_GCM_SHA256");
        SSL_CTX_set_num_tickets(context_.get(), 0);
        if (server) SSL_CTX_set_psk_find_session_callback(context_.get(), find_key);
        else SSL_CTX_set_psk_use_session_callback(context_.get(), use_key);
        session_.reset(SSL_new(context_.get()));
        CHECK(session_ != nullptr, "a TLS session");
        SSL_set_app_data(session_.get(), &key_);
        in_ = BIO_new(BIO_s_mem());
        out_ = BIO_new(BIO_s_mem());
        SSL_set_bio(session_.get(), in_, out_);
        if (server) SSL_set_accept_state(session_.get());
        else SSL_set_connect_state(session_.get());
    }

    Expected<std::size_t> read(std::span<u8> to) override {
        TRY(fill());
        int const got = SSL_read(session_.get(), to.data(), static_cast<int>(std::min(to.size(), piece)));
        TRY(drain());
        if (got > 0) return static_cast<std::size_t>(got);
        return would_block(got, "the secure link to the peer");
    }
    Expected<std::size_t> write(std::span<const u8> from) override {
        TRY(drain());
        if (!pending_.empty()) return std::size_t{0};
        TRY(fill());
        int const put = SSL_write(session_.get(), from.data(), static_cast<int>(std::min(from.size(), piece)));
        TRY(drain());
        if (put > 0) return static_cast<std::size_t>(put);
        return would_block(put, "the secure link to the peer");
    }
    int read_fd() const override { return plain_->read_fd(); }
    int write_fd() const override { return SSL_is_init_finished(session_.get()) || !pending_.empty() ? plain_->write_fd() : -1; }
    bool holds_bytes() const override { return SSL_pending(session_.get()) > 0 || BIO_ctrl_pending(in_) > 0; }
    bool holds_unsent() const override { return !pending_.empty(); }
    Expected<Done> push() override { return drain(); }

private:
    Expected<std::size_t> would_block(int result, const char* what) {
        int const reason = SSL_get_error(session_.get(), result);
        if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) return std::size_t{0};
        static_cast<void>(drain());  // the peer should hear why
        return tls_error(what);
    }
    Expected<Done> fill() {
        if (BIO_ctrl_pending(in_) >= piece) return Done{};
        buffer_.resize(piece);
        std::size_t const got = TRY(plain_->read(buffer_));
        if (got != 0) BIO_write(in_, buffer_.data(), static_cast<int>(got));
        return Done{};
    }
    Expected<Done> drain() {
        for (;;) {
            if (pending_.empty()) {
                pending_.resize(piece);
                int const got = BIO_read(out_, pending_.data(), static_cast<int>(piece));
                pending_.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
            }
            if (pending_.empty()) return Done{};
            std::size_t const put = TRY(plain_->write(pending_));
            if (put == 0) return Done{};
            pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(put));
        }
    }

    std::unique_ptr<ByteLink> plain_;
    SharedKey key_;
    std::unique_ptr<SSL_CTX, FreeContext> context_;
    std::unique_ptr<SSL, FreeSession> session_;
    BIO* in_ = nullptr;   // the session's
    BIO* out_ = nullptr;
    std::vector<u8> buffer_;
    std::vector<u8> pending_;  // encrypted, not yet taken by the link below
};

}  // namespace

Expected<SharedKey> read_key(const std::string& path) {
    struct stat status {};
    if (stat(path.c_str(), &status) == 0 && (status.st_mode & 077) != 0) return Error{path + ": others may read or write this key; chmod 600 it"};
    std::vector<u8> const bytes = TRY(read_file(path, "key"));
    if (bytes.size() < key_file_bytes_min) return Error{path + ": a key has at least 16 bytes; make one with: head -c 32 /dev/urandom > " + path};
    auto const hash = sha256_of(bytes).bytes;
    return SharedKey{hash.begin(), hash.end()};
}

Expected<std::unique_ptr<ByteLink>> secure_client(std::unique_ptr<ByteLink> plain, const SharedKey& key) {
    return std::unique_ptr<ByteLink>{std::make_unique<SecureLink>(std::move(plain), key, false)};
}

Expected<std::unique_ptr<ByteLink>> secure_server(std::unique_ptr<ByteLink> plain, const SharedKey& key) {
    return std::unique_ptr<ByteLink>{std::make_unique<SecureLink>(std::move(plain), key, true)};
}

}  // namespace ramet
