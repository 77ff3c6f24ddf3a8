// The second half of a Connection: from the handler to the last byte of the answer, and the end.
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <exception>
#include <utility>

#include "base/log.h"
#include "http/connection.h"
#include "http/response_writer.h"

namespace invited::http {
namespace {

namespace net = boost::asio;

/// After a refusal so much is read and thrown away, so that a client that is still sending gets to see the answer.
constexpr std::size_t kMostLingered = 32 * 1024 * 1024;

}  // namespace

/// What a late handler answers with. Holds the connection for it; the server does not end before.
class Connection::LateAnswer {
 public:
  explicit LateAnswer(std::shared_ptr<Connection> connection)
      : core_(connection->core_), connection_(std::move(connection)) {
    core_.begin_late_answer();
  }
  LateAnswer(LateAnswer&& other) noexcept : core_(other.core_), connection_(std::move(other.connection_)) {}
  LateAnswer& operator=(LateAnswer&&) = delete;
  ~LateAnswer() {
    if (!connection_) return;
    base::log::error("http.not_answered", {{"route", connection_->exchange_->route->pattern}});
    respond(connection_->failure());
  }

  void operator()(const Response& response) noexcept { respond(response); }

 private:
  /// As in run(), half an answer is nothing to go on from. A second one is ignored.
  void respond(const Response& response) noexcept {
    auto connection = std::exchange(connection_, nullptr);
    if (!connection) return;
    connection->respond(response);
    connection.reset();
    core_.end_late_answer();
  }

  ServerCore& core_;
  std::shared_ptr<Connection> connection_;
};

/// At once where this is the loop's thread.
void Connection::in_loop(void (*step)(Connection&)) {
  net::dispatch(socket_.get_executor(), [self = shared_from_this(), step] {
    if (self->phase_ != Phase::closed) step(*self);
  });
}

void Connection::run() noexcept {
  if (exchange_->route->late_handler) return run_late();
  const auto self = std::move(self_);
  const auto& route = *exchange_->route;
  Response response;
  bool failed = true;
  try {
    response = route.handler(exchange_->reader.request());
    failed = false;
  } catch (const std::exception& e) {
    base::log::error("http.handler_failed", {{"route", route.pattern}, {"what", e.what()}});
  } catch (...) {
    base::log::error("http.handler_failed", {{"route", route.pattern}, {"what", "not an exception of the library"}});
  }
  respond(failed ? failure() : response);
}

void Connection::run_late() noexcept {
  const Route& route = *exchange_->route;
  const Request& request = exchange_->reader.request();
  try {
    // From here on the connection is the answer's, and may be gone when the handler returns.
    route.late_handler(request, LateAnswer(std::move(self_)));
  } catch (const std::exception& e) {
    base::log::error("http.handler_failed", {{"route", route.pattern}, {"what", e.what()}});
  } catch (...) {
    base::log::error("http.handler_failed", {{"route", route.pattern}, {"what", "not an exception of the library"}});
  }
}

void Connection::refuse() noexcept {
  const auto self = std::move(self_);
  respond(busy());
}

Response Connection::failure() const {
  return render_error(exchange_->error_renderer, 500, "Something went wrong here. It has been logged.",
                      exchange_->reader.request());
}

Response Connection::busy() const {
  auto response = render_error(exchange_->error_renderer, 503, "The service is busy. Call again in a moment.",
                               exchange_->reader.request());
  response.headers.set("Retry-After", std::to_string(kBusyFor.count()));
  return response;
}

void Connection::deny(const Denial& denial) {
  auto response = render_error(exchange_->error_renderer, denial.refusal.status, denial.refusal.reason,
                               exchange_->reader.request());
  response.close = response.close || denial.close;
  if (!denial.allow.empty()) response.headers.set("Allow", denial.allow);
  if (denial.refusal.status == 503) response.headers.set("Retry-After", std::to_string(kBusyFor.count()));
  loop_.schedule(*this, Clock::now() + core_.options.limits.idle);
  respond(response);
}

void Connection::respond(const Response& response) {
  auto& exchange = *exchange_;
  exchange.hashing.reset();
  const auto& request = exchange.reader.request();
  exchange.keep_alive = exchange.reader.keep_alive() && !response.close && !core_.draining;
  const HeaderList cors = exchange.cors != nullptr ? exchange.cors->headers(request) : HeaderList{};
  exchange.answer = serialize(response, {.keep_alive = exchange.keep_alive,
                                         .to_http_1_0 = exchange.reader.version() == 10,
                                         .head = request.method == "HEAD",
                                         .secure = request.secure || transport_.is_secure(),
                                         .extra_headers = &core_.options.extra_headers,
                                         .path_headers = &cors});
  if (base::log::enabled(base::log::Level::debug)) {
    const std::chrono::duration<double, std::milli> duration = Clock::now() - exchange.started;
    base::log::debug("http.request",
                     {{"method", request.method},
                      {"route", exchange.route != nullptr ? std::string_view(exchange.route->pattern) : "-"},
                      {"status", response.status},
                      {"ms", duration.count()}});
  }
  write();
}

void Connection::write() {
  auto& exchange = *exchange_;
  while (exchange.sent < exchange.answer.size()) {
    const auto result = transport_.write(std::string_view(exchange.answer).substr(exchange.sent));
    switch (result.status) {
      case Transport::Status::done:
        exchange.sent += result.size;
        continue;
      case Transport::Status::wants_read:
      case Transport::Status::wants_write:
        in_loop(result.status == Transport::Status::wants_read
                    ? [](Connection& c) { c.await_taker(Socket::wait_read); }
                    : [](Connection& c) { c.await_taker(Socket::wait_write); });
        return;
      case Transport::Status::end:
      case Transport::Status::failed:
        in_loop([](Connection& c) { c.close(); });
        return;
    }
  }
  on_answered();
}

/// The client takes its answer slowly.
void Connection::await_taker(Socket::wait_type what) {
  if (phase_ != Phase::writing) {
    phase_ = Phase::writing;
    set_deadline(Clock::now() + core_.options.limits.answer);
    if (!charge()) return close();
  }
  wait(what);
}

void Connection::on_answered() {
  if (!exchange_->keep_alive) return in_loop([](Connection& c) { c.linger(); });
  exchange_.reset();
  deadline_.store(Clock::now() + core_.options.limits.idle, std::memory_order_relaxed);
  if (!pending_.empty() || transport_.has_buffered()) {
    // Not at once: a long row of requests sent ahead would nest as deep.
    net::post(socket_.get_executor(), [self = shared_from_this()] { self->resume(); });
    return;
  }
  core_.buffered -= std::exchange(charged_, 0);
  phase_.store(Phase::idle, std::memory_order_release);
  wait(Socket::wait_read);
}

void Connection::resume() {
  if (phase_ == Phase::closed) return;
  phase_ = Phase::reading;
  if (!pending_.empty() && advance(pending_) == Next::stop) return;
  read();
}

/// The last answer has left. Closing at once would make the kernel throw it away where the client is still sending.
void Connection::linger() {
  exchange_.reset();
  release_pending();
  core_.buffered -= std::exchange(charged_, 0);
  transport_.finish_writing();
  phase_ = Phase::lingering;
  set_deadline(Clock::now() + core_.options.limits.linger);
  discard();
}

void Connection::discard() {
  for (int i = 0; i < 16; ++i) {
    const auto size = ::recv(socket_.native_handle(), loop_.scratch.data(), loop_.scratch.size(), MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) break;
    lingered_ += static_cast<std::size_t>(std::max<ssize_t>(0, size));
    if (size <= 0 || lingered_ > kMostLingered) return close();
  }
  wait(Socket::wait_read);
}

}  // namespace invited::http
