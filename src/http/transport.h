// Bytes over a connected, non-blocking socket: plain, or TLS by OpenSSL. Neither waits nor owns the socket; between two
// calls it holds no buffer of its own beyond what OpenSSL keeps for an unfinished record. One thread at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "domain/error.h"

struct ssl_ctx_st;
struct ssl_st;

namespace invited::http {

/// Certificate and key, ready for use. Immutable; shared by the connections that were begun with it.
class TlsContext {
 public:
  /// PEM files: the certificate with its chain, and its key. TLS 1.2 and later. The error's message names the setting,
  /// the file and the remedy.
  static domain::Result<std::shared_ptr<const TlsContext>> load(const std::string& certificate_chain_file,
                                                                const std::string& key_file);
  ~TlsContext();
  ssl_ctx_st* get() const { return context_; }
  /// When the certificate ends.
  base::Timestamp valid_until() const;

 private:
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  ssl_ctx_st* context_;
};

class Transport {
 public:
  enum class Status { done, wants_read, wants_write, end, failed };
  struct Result {
    Status status;
    std::size_t size = 0;  ///< with `done`: bytes moved, at least one
  };

  /// Plain where `tls` is null.
  Transport(int socket, const std::shared_ptr<const TlsContext>& tls);
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  Result read(std::span<char> buffer);
  Result write(std::string_view bytes);
  /// Tells the peer that nothing more comes. Reading is still possible.
  void finish_writing();

  bool is_secure() const { return tls_; }
  /// About how many bytes OpenSSL holds for a record that came in part. Of handshakes see Handshakes.
  std::size_t held() const;
  /// TLS: whether the handshake is over. Plain: always.
  bool is_established() const;
  /// TLS: decrypted bytes are waiting, of which the socket shows nothing.
  bool has_buffered() const;

 private:
  Result result_of_ssl(int result) const;

  int socket_;
  bool tls_;
  ssl_st* ssl_ = nullptr;  ///< null with `tls_`: out of memory; then nothing is read or written
};

}  // namespace invited::http
