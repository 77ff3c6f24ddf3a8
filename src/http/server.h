// The one listener of the service: accepts, reads strict HTTP/1.1, hands requests to the router's handlers on worker
// threads, sends their answers. TLS where certificate files are given. Every limit of Limits holds for every client.
// start(), drain() and stop() are called by one thread, in that order; the rest may be called from any.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "domain/error.h"
#include "http/limits.h"
#include "http/response_writer.h"
#include "http/router.h"

namespace invited::http {

struct TlsFiles {
  std::string certificate_chain;  ///< PEM
  std::string key;                ///< PEM
};

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  ///< 0: a free one, see Server::port()
  std::optional<TlsFiles> tls;
  std::size_t io_threads = 1;
  std::size_t workers = 64;
  std::size_t queue_length = 1024;  ///< requests that wait for a worker
  Limits limits;
  /// Addresses or networks whose X-Forwarded-For and X-Forwarded-Proto are believed, and which may have any number of
  /// connections.
  std::vector<std::string> trusted_proxies;
  /// Browsers come through a proxy that ends TLS, whether it is trusted to say so or not: the public URL is https.
  bool is_behind_tls = false;
  HeaderList extra_headers;  ///< for every answer, unless the handler sets them
};

class Server {
 public:
  Server(ServerOptions options, Router router);
  ~Server();  ///< stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Binds, listens, starts the threads. The error says which option does not work.
  domain::Result<void> start();

  /// The port that it listens on; 0 before start().
  std::uint16_t port() const;

  /// Accepts nothing new, lets running requests end, closes idle connections. Blocks until no connection is left (true)
  /// or `timeout` is over (false).
  bool drain(std::chrono::milliseconds timeout);

  /// Refuses what is queued, waits for handlers that run and for answers that they put off, closes everything, joins
  /// the threads. Further calls do nothing.
  void stop();

  /// Takes up changed certificate files for new connections. On error the old ones stay in use.
  domain::Result<void> reload_tls();

  /// Open connections.
  std::size_t connections() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace invited::http
