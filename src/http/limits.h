// How much of everything one client may take: the defaults of the promises, each a setting. Values only; read by the
// listener and the request policy, fixed once the server has started.
#pragma once

#include <chrono>
#include <cstddef>

namespace invited::http {

struct Limits {
  std::size_t body = 64 * 1024;          ///< bytes of a request's body, unless its route says otherwise: 413
  std::size_t header_block = 16 * 1024;  ///< bytes of request line and header lines together: 431
  std::size_t header_line = 8 * 1024;    ///< bytes of one header line: 431
  std::size_t header_lines = 64;         ///< 431
  std::size_t uri = 2 * 1024;            ///< bytes of the request target: 414

  std::size_t connections = 16'384;
  std::size_t connections_per_address = 256;  ///< an IPv6 client counts by its /64
  /// Bytes of unfinished requests and unread answers held for all clients together; who asks for more gets 503.
  std::size_t buffered = 32 * 1024 * 1024;
  /// Unfinished TLS handshakes of an I/O thread, and how old the oldest may always become; see Handshakes.
  std::size_t handshakes = 1024;
  std::chrono::milliseconds handshake_patience{1000};

  std::chrono::milliseconds headers{10'000};  ///< from the first byte of a request (or of a TLS handshake) to its head
  std::chrono::milliseconds body_time{15'000};  ///< for the body, and a second more for each `body_rate` bytes received
  std::size_t body_rate = 500;                  ///< bytes a second
  std::chrono::milliseconds answer{30'000};     ///< to take the answer
  std::chrono::milliseconds idle{60'000};       ///< between requests
  std::chrono::milliseconds linger{2'000};      ///< to read on after a refusal, so that the client sees the answer
  std::chrono::milliseconds queue_wait{200};    ///< for a worker: then 503
};

}  // namespace invited::http
