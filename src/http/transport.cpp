#include "http/transport.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

namespace invited::http {
namespace {

/// Of a record however short the buffer is for the longest.
constexpr std::size_t kHeldByRecord = 17 * 1024;

bool is_would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

// OpenSSL's own socket BIO writes without MSG_NOSIGNAL: a client that hangs up would kill the process by SIGPIPE.
int bio_socket(BIO* bio) { return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio))); }

int bio_write(BIO* bio, const char* data, int size) {
  const auto sent = ::send(bio_socket(bio), data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  BIO_clear_retry_flags(bio);
  if (sent < 0 && is_would_block(errno)) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

int bio_read(BIO* bio, char* data, int size) {
  const auto received = ::recv(bio_socket(bio), data, static_cast<std::size_t>(size), 0);
  BIO_clear_retry_flags(bio);
  if (received < 0 && is_would_block(errno)) BIO_set_retry_read(bio);
  return static_cast<int>(received);
}

long bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

BIO_METHOD* socket_bio_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* created = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without SIGPIPE");
    BIO_meth_set_write(created, bio_write);
    BIO_meth_set_read(created, bio_read);
    BIO_meth_set_ctrl(created, bio_control);
    return created;
  }();
  return method;
}

int select_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                    unsigned int offered_size, void*) {
  static constexpr std::array<unsigned char, 9> kHttp11{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* selected = nullptr;
  if (SSL_select_next_proto(&selected, out_size, kHttp11.data(), kHttp11.size(), offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = selected;
  return SSL_TLSEXT_ERR_OK;
}

std::string last_ssl_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (ERR_SYSTEM_ERROR(code)) return std::strerror(ERR_GET_REASON(code));
  const char* const reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "OpenSSL gives no reason";
}

/// A key with a pass phrase: nobody is there to be asked.
int no_pass_phrase(char*, int, int, void*) { return -1; }

}  // namespace

domain::Result<std::shared_ptr<const TlsContext>> TlsContext::load(const std::string& certificate_chain_file,
                                                                   const std::string& key_file) {
  const auto fail = [](const std::string& setting, const std::string& file, const std::string& remedy) {
    return domain::refuse(domain::ErrorCode::invalid_parameter,
                          setting + " " + file + " cannot be used: " + last_ssl_error() + ". " + remedy, file);
  };
  ERR_clear_error();
  // NOLINTNEXTLINE(cppcoreguidelines-owning-memory): the constructor is private
  std::shared_ptr<TlsContext> context(new TlsContext(SSL_CTX_new(TLS_server_method())));
  SSL_CTX* const ssl = context->context_;
  if (ssl == nullptr || SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) != 1)
    return fail("OpenSSL", "", "Its installation is at fault.");
  SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_cipher_list(ssl, "ECDHE+AESGCM:ECDHE+CHACHA20");
  // Sessions are resumed by tickets; a cache would grow with the number of clients. Idle connections give buffers back.
  SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_alpn_select_cb(ssl, select_protocol, nullptr);
  if (SSL_CTX_use_certificate_chain_file(ssl, certificate_chain_file.c_str()) != 1) {
    return fail("http.tls_certificate", certificate_chain_file,
                "Name a file in PEM format that this user may read: the service's certificate, then those of the "
                "authorities that vouch for it.");
  }
  SSL_CTX_set_default_passwd_cb(ssl, &no_pass_phrase);
  // Also where it is the key of another certificate.
  if (SSL_CTX_use_PrivateKey_file(ssl, key_file.c_str(), SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(ssl) != 1)
    return fail("http.tls_key", key_file,
                "Name the key of the certificate in http.tls_certificate, in PEM format, without a pass phrase, that "
                "this user may read.");
  return std::shared_ptr<const TlsContext>(std::move(context));
}

base::Timestamp TlsContext::valid_until() const {
  std::tm time{};
  const X509* const certificate = SSL_CTX_get0_certificate(context_);
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &time) != 1) return {};
  return base::Timestamp(std::chrono::seconds(::timegm(&time)));
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

Transport::Transport(int socket, const std::shared_ptr<const TlsContext>& tls) : socket_(socket), tls_(tls != nullptr) {
  if (!tls) return;
  ssl_ = SSL_new(tls->get());  // holds its own reference to the context
  if (ssl_ == nullptr) return;
  BIO* const bio = BIO_new(socket_bio_method());
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(socket)));  // NOLINT
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  SSL_set_accept_state(ssl_);
}

Transport::~Transport() { SSL_free(ssl_); }

Transport::Result Transport::read(std::span<char> buffer) {
  if (tls_) {
    if (ssl_ == nullptr) return {Status::failed};
    ERR_clear_error();
    return result_of_ssl(SSL_read(ssl_, buffer.data(), static_cast<int>(buffer.size())));
  }
  const auto received = ::recv(socket_, buffer.data(), buffer.size(), 0);
  if (received > 0) return {Status::done, static_cast<std::size_t>(received)};
  if (received == 0) return {Status::end};
  return {is_would_block(errno) ? Status::wants_read : Status::failed};
}

Transport::Result Transport::write(std::string_view bytes) {
  if (tls_) {
    if (ssl_ == nullptr) return {Status::failed};
    ERR_clear_error();
    return result_of_ssl(SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())));
  }
  const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0) return {Status::done, static_cast<std::size_t>(sent)};
  return {is_would_block(errno) ? Status::wants_write : Status::failed};
}

Transport::Result Transport::result_of_ssl(int result) const {
  if (result > 0) return {Status::done, static_cast<std::size_t>(result)};
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
      return {Status::wants_read};
    case SSL_ERROR_WANT_WRITE:
      return {Status::wants_write};
    case SSL_ERROR_ZERO_RETURN:
      return {Status::end};
    default:
      return {Status::failed};
  }
}

void Transport::finish_writing() {
  if (ssl_ != nullptr && SSL_is_init_finished(ssl_)) {
    ERR_clear_error();
    SSL_shutdown(ssl_);
  }
  ::shutdown(socket_, SHUT_WR);
}

bool Transport::is_established() const { return !tls_ || (ssl_ != nullptr && SSL_is_init_finished(ssl_)); }

std::size_t Transport::held() const {
  const bool holds_record = ssl_ != nullptr && SSL_is_init_finished(ssl_) != 0 && SSL_has_pending(ssl_) == 1;
  return holds_record ? kHeldByRecord : 0;
}

bool Transport::has_buffered() const { return ssl_ != nullptr && SSL_pending(ssl_) > 0; }

}  // namespace invited::http
