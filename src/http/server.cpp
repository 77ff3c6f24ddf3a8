#include "http/server.h"

#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <mutex>
#include <thread>
#include <utility>

#include "base/log.h"
#include "http/connection.h"
#include "http/listener_state.h"

namespace invited::http {
namespace {

namespace net = boost::asio;
using boost::system::error_code;
using domain::ErrorCode;
using net::ip::tcp;

/// Descriptors that are left for the rest of the process: database, mail, log.
constexpr std::size_t kReservedDescriptors = 64;
constexpr int kAcceptedAtOnce = 64;
constexpr std::chrono::milliseconds kAcceptPause{100};
constexpr std::chrono::milliseconds kDrainStep{50};
constexpr std::chrono::seconds kShortageLogInterval{10};

std::size_t connections_allowed(std::size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return wanted;
  const auto descriptors = static_cast<std::size_t>(limit.rlim_cur);
  const auto reserved = std::min(kReservedDescriptors, descriptors / 2);
  return std::max<std::size_t>(1, std::min(wanted, descriptors - reserved));
}

bool is_shortage(const error_code& ec) {
  return ec == net::error::no_descriptors || ec == net::error::no_memory || ec == net::error::no_buffer_space ||
         ec == error_code(ENFILE, boost::system::system_category());
}

}  // namespace

class Server::Implementation {
 public:
  Implementation(ServerOptions options, Router router) : core_(std::move(options), std::move(router)) {}
  ~Implementation() { stop(); }

  domain::Result<void> start();
  std::uint16_t port() const { return port_; }
  bool drain(std::chrono::milliseconds timeout);
  void stop();
  domain::Result<void> reload_tls();
  std::size_t connections() const { return core_.connections(); }

 private:
  using Acceptor = net::basic_socket_acceptor<tcp, net::io_context::executor_type>;

  domain::Result<void> listen();
  void await_client();
  void accept_clients();
  void admit(Connection::Socket socket, IoLoop& loop);
  void turn_away(Connection::Socket& socket);
  void pause_accepting(std::string_view reason);
  void stop_accepting();

  ServerCore core_;
  std::size_t most_connections_ = 0;
  std::uint16_t port_ = 0;
  std::mutex tls_mutex_;
  std::shared_ptr<const TlsContext> tls_;
  std::vector<std::unique_ptr<IoLoop>> loops_;
  std::size_t next_loop_ = 0;
  // In the first loop's thread, once it runs.
  std::optional<Acceptor> acceptor_;
  std::optional<net::steady_timer> accept_timer_;
  bool started_ = false;
  std::chrono::steady_clock::time_point next_shortage_log_{};
};

domain::Result<void> Server::Implementation::start() {
  const auto& options = core_.options;
  std::string bad;
  auto proxies = TrustedProxies::parse(options.trusted_proxies, bad);
  if (!proxies) {
    return domain::refuse(ErrorCode::invalid_parameter, "\"" + bad + "\" is not an address or a network.", bad);
  }
  core_.trusted_proxies = std::move(*proxies);
  if (auto loaded = reload_tls(); !loaded) return loaded;
  most_connections_ = connections_allowed(options.limits.connections);
  if (most_connections_ < options.limits.connections) {
    base::log::warning("http.few_descriptors",
                       {{"connections", most_connections_},
                        {"http.max_connections", options.limits.connections},
                        {"remedy", "raise the limit on open files (systemd: LimitNOFILE), or lower the setting"}});
  }
  for (std::size_t i = 0; i < std::max<std::size_t>(1, options.io_threads); ++i) {
    loops_.push_back(std::make_unique<IoLoop>(core_));
  }
  if (auto listening = listen(); !listening) {
    acceptor_.reset();
    accept_timer_.reset();
    loops_.clear();
    return listening;
  }
  started_ = true;
  core_.pool.start();
  await_client();
  for (auto& loop : loops_) loop->start();
  base::log::info("http.listening", {{"address", options.address}, {"port", port_}, {"tls", options.tls.has_value()}});
  return {};
}

domain::Result<void> Server::Implementation::reload_tls() {
  if (!core_.options.tls) return {};
  auto context = TlsContext::load(core_.options.tls->certificate_chain, core_.options.tls->key);
  if (!context) return std::unexpected(context.error());
  const std::lock_guard lock(tls_mutex_);
  tls_ = std::move(*context);
  return {};
}

domain::Result<void> Server::Implementation::listen() {
  const auto& options = core_.options;
  const auto fail = [&](const error_code& ec) {
    return domain::refuse(ErrorCode::unavailable, "Cannot listen on " + options.address + " port " +
                                                      std::to_string(options.port) + ": " + ec.message() + ".");
  };
  error_code ec;
  const auto address = net::ip::make_address(options.address, ec);
  if (ec) {
    return domain::refuse(ErrorCode::invalid_parameter, "\"" + options.address + "\" is not an IP address.",
                          options.address);
  }
  acceptor_.emplace(loops_.front()->io);
  accept_timer_.emplace(loops_.front()->io);
  const tcp::endpoint endpoint(address, options.port);
  if (acceptor_->open(endpoint.protocol(), ec)) return fail(ec);
  if (acceptor_->set_option(net::socket_base::reuse_address(true), ec)) return fail(ec);
  // "::" takes IPv4 clients too, whatever the machine's default.
  if (address.is_v6() && acceptor_->set_option(net::ip::v6_only(false), ec)) return fail(ec);
  if (acceptor_->bind(endpoint, ec)) return fail(ec);
  if (acceptor_->listen(net::socket_base::max_listen_connections, ec)) return fail(ec);
  if (acceptor_->non_blocking(true, ec)) return fail(ec);
  port_ = acceptor_->local_endpoint(ec).port();
  return {};
}

void Server::Implementation::await_client() {
  acceptor_->async_wait(Acceptor::wait_read, [this](const error_code& ec) {
    if (!ec) accept_clients();
  });
}

void Server::Implementation::accept_clients() {
  for (int i = 0; i < kAcceptedAtOnce; ++i) {
    IoLoop& loop = *loops_[next_loop_++ % loops_.size()];
    Connection::Socket socket(loop.io);
    error_code ec;
    ec = acceptor_->accept(socket, ec);
    if (ec == net::error::would_block || ec == net::error::try_again) break;
    if (is_shortage(ec)) return pause_accepting(ec.message());
    if (ec == net::error::bad_descriptor || ec == net::error::operation_aborted) return;  // closed
    if (ec) continue;  // a client that has gone again
    admit(std::move(socket), loop);
  }
  await_client();
}

void Server::Implementation::admit(Connection::Socket socket, IoLoop& loop) {
  error_code ec;
  const auto endpoint = socket.remote_endpoint(ec);
  if (ec) return;
  const auto peer = normalized(endpoint.address());
  if (core_.connections() >= most_connections_) return turn_away(socket);
  std::optional<AddressCounter::Key> counted;
  if (!core_.trusted_proxies.contains(peer)) {
    counted = AddressCounter::key_of(peer);
    if (!core_.addresses.acquire(*counted, core_.options.limits.connections_per_address)) return turn_away(socket);
  }
  ec = socket.non_blocking(true, ec);
  ec = socket.set_option(tcp::no_delay(true), ec);
  std::shared_ptr<const TlsContext> tls;
  if (core_.options.tls) {
    const std::lock_guard lock(tls_mutex_);
    tls = tls_;
  }
  auto connection = std::make_shared<Connection>(core_, loop, std::move(socket), peer, counted, tls);
  net::dispatch(loop.io, [connection = std::move(connection)] { connection->start(); });
}

/// Over a limit: told so where that costs nothing, then closed.
void Server::Implementation::turn_away(Connection::Socket& socket) {
  if (core_.options.tls) return;
  auto response = render_error(nullptr, 503, "There are too many connections. Call again in a moment.");
  response.headers.set("Retry-After", std::to_string(kBusyFor.count()));
  const auto bytes = serialize(response, {.keep_alive = false, .extra_headers = &core_.options.extra_headers});
  error_code ignored;
  ignored = socket.non_blocking(true, ignored);
  socket.write_some(net::buffer(bytes), ignored);
  ignored = socket.shutdown(tcp::socket::shutdown_send, ignored);
}

/// Out of descriptors: the clients wait in the backlog. Trying again at once would be a busy loop.
void Server::Implementation::pause_accepting(std::string_view reason) {
  // It may come and go with each descriptor that a mail gives back.
  if (const auto now = std::chrono::steady_clock::now(); now >= next_shortage_log_) {
    base::log::warning("http.accept_paused", {{"reason", reason}});
    next_shortage_log_ = now + kShortageLogInterval;
  }
  accept_timer_->expires_after(kAcceptPause);
  accept_timer_->async_wait([this](const error_code& ec) {
    if (!ec && acceptor_->is_open()) accept_clients();
  });
}

void Server::Implementation::stop_accepting() {
  net::post(loops_.front()->io, [this] {
    // Whom the system has let in already has called, mostly; closing would reset them.
    if (acceptor_->is_open()) accept_clients();
    error_code ignored;
    ignored = acceptor_->close(ignored);
    accept_timer_->cancel();
  });
}

bool Server::Implementation::drain(std::chrono::milliseconds timeout) {
  if (!started_) return true;
  const auto end = std::chrono::steady_clock::now() + timeout;
  core_.draining = true;
  stop_accepting();
  // One step of grace first: who has just connected is about to call.
  while (!core_.wait_until_all_closed(kDrainStep)) {
    if (std::chrono::steady_clock::now() >= end) return false;
    // Again and again: a request that has just been answered leaves an idle connection behind.
    for (auto& loop : loops_) {
      net::post(loop->io, [&deadlines = loop->deadlines] {
        deadlines.for_each([](DeadlineQueue::Entry& entry) { static_cast<Connection&>(entry).close_if_idle(); });
      });
    }
  }
  return true;
}

void Server::Implementation::stop() {
  if (!std::exchange(started_, false)) return;
  core_.draining = true;
  stop_accepting();
  core_.pool.stop();
  core_.wait_for_late_answers();
  for (auto& loop : loops_) loop->stop();
  acceptor_.reset();
  accept_timer_.reset();
  loops_.clear();
}

Server::Server(ServerOptions options, Router router)
    : implementation_(std::make_unique<Implementation>(std::move(options), std::move(router))) {}
Server::~Server() = default;
domain::Result<void> Server::start() { return implementation_->start(); }
std::uint16_t Server::port() const { return implementation_->port(); }
bool Server::drain(std::chrono::milliseconds timeout) { return implementation_->drain(timeout); }
void Server::stop() { implementation_->stop(); }
domain::Result<void> Server::reload_tls() { return implementation_->reload_tls(); }
std::size_t Server::connections() const { return implementation_->connections(); }

}  // namespace invited::http
