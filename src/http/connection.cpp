#include "http/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <exception>
#include <utility>

#include "base/log.h"
#include "http/response_writer.h"

namespace invited::http {
namespace {

namespace net = boost::asio;
using boost::system::error_code;

/// After a refusal so much is read and thrown away, so that a client that is still sending gets to see the answer.
constexpr std::size_t kMostLingered = 32 * 1024 * 1024;

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

struct Connection::Exchange {
  explicit Exchange(const Limits& limits) : reader(limits) {}

  RequestReader reader;
  Clock::time_point started = Clock::now();
  Clock::time_point body_started;
  const Route* route = nullptr;
  const ErrorRenderer* error_renderer = nullptr;
  bool expects_continue = false;
  bool keep_alive = false;
  std::string answer;
  std::size_t sent = 0;
};

/// A request that is answered without its handler.
struct Connection::Denial {
  Refusal refusal;
  bool close = true;
  std::string_view allow = {};
};

Connection::Connection(ServerCore& core, IoLoop& loop, Socket socket, const Address& peer,
                       std::optional<AddressCounter::Key> counted, const std::shared_ptr<const TlsContext>& tls)
    : core_(core),
      loop_(loop),
      socket_(std::move(socket)),
      transport_(socket_.native_handle(), tls),
      peer_(peer),
      peer_text_(peer.to_string()),
      counted_(counted) {
  core_.connection_opened();
}

Connection::~Connection() {
  if (phase_ != Phase::closed) close();
}

void Connection::start() {
  const auto& limits = core_.options.limits;
  const bool handshakes = !transport_.is_established();
  phase_ = handshakes ? Phase::reading : Phase::idle;
  set_deadline(Clock::now() + (handshakes ? limits.headers : limits.idle));
  wait(Socket::wait_read);
}

void Connection::close() {
  if (phase_ == Phase::closed) return;
  phase_ = Phase::closed;
  loop_.deadlines.remove(*this);
  core_.buffered -= std::exchange(charged_, 0);
  exchange_.reset();
  pending_ = {};
  error_code ignored;
  socket_.close(ignored);
  if (counted_) core_.addresses.release(*counted_);
  core_.connection_closed();
}

void Connection::close_if_idle() {
  // A worker that has just let go may still be busy with the socket object, so only its descriptor is touched; the wait
  // for more bytes ends with it.
  if (phase_.load(std::memory_order_acquire) != Phase::idle) return;
  char byte = 0;
  const bool has_bytes = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
  if (!has_bytes) ::shutdown(socket_.native_handle(), SHUT_RDWR);
}

void Connection::wait(Socket::wait_type what) {
  const auto id = ++wait_id_;
  socket_.async_wait(what, [self = shared_from_this(), id](const error_code& ec) {
    if (self->phase_ == Phase::closed || id != self->wait_id_) return;
    if (ec) {
      self->close();
    } else {
      self->on_ready();
    }
  });
}

/// At once where this is the loop's thread.
template <class Step>
void Connection::in_loop(Step step) {
  net::dispatch(socket_.get_executor(), [self = shared_from_this(), step] {
    if (self->phase_ != Phase::closed) step(*self);
  });
}

void Connection::set_deadline(Clock::time_point at) {
  deadline_.store(at, std::memory_order_relaxed);
  loop_.schedule(*this, at);
}

std::optional<Connection::Clock::time_point> Connection::on_time(Clock::time_point now) {
  const auto phase = phase_.load(std::memory_order_acquire);
  // While a worker has it no deadline runs; whichever comes next is not sooner than this.
  if (phase == Phase::running) return now + core_.options.limits.idle;
  const auto deadline = deadline_.load(std::memory_order_relaxed);
  if (deadline > now) return deadline;
  switch (phase) {
    case Phase::idle:
      ::shutdown(socket_.native_handle(), SHUT_RDWR);  // see close_if_idle()
      return now + core_.options.limits.linger;
    case Phase::reading:
      if (exchange_) {
        const auto self = shared_from_this();
        deny({.refusal = {408, "The request did not arrive in time."}});
        if (phase_ == Phase::closed) return std::nullopt;
        return deadline_.load(std::memory_order_relaxed);
      }
      [[fallthrough]];
    case Phase::writing:
    case Phase::lingering:
      close();
      return std::nullopt;
    case Phase::running:
    case Phase::closed:
      return std::nullopt;
  }
  return std::nullopt;
}

void Connection::on_ready() {
  switch (phase_.load(std::memory_order_acquire)) {
    case Phase::idle:
    case Phase::reading:
      read();
      break;
    case Phase::writing:
      write();
      break;
    case Phase::lingering:
      discard();
      break;
    case Phase::running:
    case Phase::closed:
      break;
  }
}

void Connection::read() {
  for (;;) {
    const auto result = transport_.read(loop_.scratch);
    switch (result.status) {
      case Transport::Status::done:
        if (take({loop_.scratch.data(), result.size}) == Next::stop) return;
        if (result.size == loop_.scratch.size() || transport_.has_buffered()) continue;
        wait(Socket::wait_read);
        return;
      case Transport::Status::wants_read:
        if (phase_ == Phase::reading && !exchange_ && transport_.is_established()) {
          phase_ = Phase::idle;  // the handshake is over
          set_deadline(Clock::now() + core_.options.limits.idle);
        }
        wait(Socket::wait_read);
        return;
      case Transport::Status::wants_write:
        wait(Socket::wait_write);
        return;
      case Transport::Status::end:
        on_end();
        return;
      case Transport::Status::failed:
        close();
        return;
    }
  }
}

void Connection::on_end() {
  if (exchange_) {
    deny({.refusal = {400, "The request ended early."}});
  } else {
    close();
  }
}

Connection::Next Connection::take(std::string_view bytes) {
  if (pending_.empty()) return advance(bytes);
  pending_ += bytes;
  return advance(pending_);
}

/// Feeds the reader. `bytes` may be `pending_` itself.
Connection::Next Connection::advance(std::string_view bytes) {
  phase_ = Phase::reading;
  if (!exchange_) exchange_ = std::make_unique<Exchange>(core_.options.limits);
  auto& reader = exchange_->reader;
  std::size_t used = 0;
  for (;;) {
    used += reader.feed(bytes.substr(used));
    switch (reader.state()) {
      case RequestReader::State::decide:
        if (const auto denial = admit()) {
          keep(bytes, used);
          deny(*denial);
          return Next::stop;
        }
        continue;
      case RequestReader::State::head:
      case RequestReader::State::body:
        keep(bytes, used);
        return await_more();
      case RequestReader::State::complete:
        keep(bytes, used);
        hand_over();
        return Next::stop;
      case RequestReader::State::refused:
        if (const auto target = parse_target(reader.target()); target && exchange_->error_renderer == nullptr) {
          exchange_->error_renderer = core_.router.match("", target->path).error_renderer;
        }
        deny({.refusal = reader.refusal()});
        return Next::stop;
    }
  }
}

void Connection::keep(std::string_view bytes, std::size_t used) {
  if (bytes.data() == pending_.data()) {
    pending_.erase(0, used);
  } else {
    pending_ = bytes.substr(used);
  }
  if (pending_.empty()) pending_ = {};
}

/// The request is not whole yet: sees to its deadline and to the memory that it takes.
Connection::Next Connection::await_more() {
  const auto& limits = core_.options.limits;
  auto& exchange = *exchange_;
  if (!charge()) {
    deny({.refusal = {503, "The service is busy. Call again in a moment."}});
    return Next::stop;
  }
  if (exchange.reader.state() == RequestReader::State::head) {
    set_deadline(exchange.started + limits.headers);
    return Next::wait;
  }
  if (std::exchange(exchange.expects_continue, false) && transport_.write(kContinue).size != kContinue.size()) {
    close();  // a fresh socket that does not take 25 bytes is of no use
    return Next::stop;
  }
  const auto bonus = exchange.reader.request().body.size() * 1000 / std::max<std::size_t>(1, limits.body_rate);
  set_deadline(exchange.body_started + limits.body_time + std::chrono::milliseconds(bonus));
  return Next::wait;
}

bool Connection::charge() {
  std::size_t size = pending_.capacity();
  if (exchange_) size += exchange_->reader.request().body.capacity() + exchange_->answer.size() - exchange_->sent;
  const auto before = core_.buffered.fetch_add(size - charged_);  // unsigned arithmetic wraps to a subtraction
  const bool is_more = size > charged_;
  const auto now_buffered = before + (size - charged_);
  charged_ = size;
  return !is_more || now_buffered <= core_.options.limits.buffered;
}

/// The head is whole: finds the route and decides whether the body is to be read.
std::optional<Connection::Denial> Connection::admit() {
  auto& exchange = *exchange_;
  auto& reader = exchange.reader;
  auto& request = reader.request();
  const auto& fields = reader.fields();
  const bool close = fields.has_body() || request.method == "CONNECT";  // what follows is not worth reading

  auto target = parse_target(reader.target());
  if (!target) return Denial{{404, "There is nothing at this address."}, close};
  request.path = std::move(target->path);
  request.query = std::move(target->query);
  request.has_query = target->has_query;
  auto match = core_.router.match(request.method, request.path);
  exchange.route = match.route;
  exchange.error_renderer = match.error_renderer;
  if (match.route == nullptr) {
    if (match.allow.empty()) return Denial{{404, "There is nothing at this address."}, close};
    return Denial{{405, "This address does not answer that method."}, close, match.allow};
  }
  if (const auto refusal = fields.check_route(*match.route, core_.options.limits)) return Denial{*refusal, close};

  request.path_parameters = std::move(match.path_parameters);
  request.secure = transport_.is_secure();
  if (core_.trusted_proxies.contains(peer_)) {
    auto client = core_.trusted_proxies.client_of(peer_, request.secure, request.headers);
    request.client_address = std::move(client.address);
    request.secure = client.secure;
  } else {
    request.client_address = peer_text_;
  }
  exchange.expects_continue = fields.expects_continue() && reader.version() == 11;
  exchange.body_started = Clock::now();
  const auto& options = match.route->options;
  reader.read_body(options.max_body != 0 ? options.max_body : core_.options.limits.body);
  return std::nullopt;
}

/// The request is whole: to the workers.
void Connection::hand_over() {
  const auto now = Clock::now();
  loop_.schedule(*this, now + core_.options.limits.idle);  // the worker, when it is done, cannot
  loop_.watch_queue();
  self_ = shared_from_this();
  phase_.store(Phase::running, std::memory_order_release);
  if (core_.pool.submit(*this, now)) return;  // from here on it may be gone
  const auto self = std::move(self_);
  respond(busy());
}

void Connection::run() noexcept {
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
  if (failed) response = render_error(exchange_->error_renderer, 500, "Something went wrong here. It has been logged.");
  respond(response);
}

void Connection::refuse() noexcept {
  const auto self = std::move(self_);
  respond(busy());
}

Response Connection::busy() const {
  auto response = render_error(exchange_->error_renderer, 503, "The service is busy. Call again in a moment.");
  response.headers.set("Retry-After", "1");
  return response;
}

void Connection::deny(const Denial& denial) {
  auto response = render_error(exchange_->error_renderer, denial.refusal.status, denial.refusal.reason);
  response.close = response.close || denial.close;
  if (!denial.allow.empty()) response.headers.set("Allow", denial.allow);
  if (denial.refusal.status == 503) response.headers.set("Retry-After", "1");
  loop_.schedule(*this, Clock::now() + core_.options.limits.idle);
  respond(response);
}

void Connection::respond(const Response& response) {
  auto& exchange = *exchange_;
  const auto& request = exchange.reader.request();
  exchange.keep_alive = exchange.reader.keep_alive() && !response.close && !core_.draining;
  exchange.answer = serialize(response, {.keep_alive = exchange.keep_alive,
                                         .to_http_1_0 = exchange.reader.version() == 10,
                                         .head = request.method == "HEAD",
                                         .secure = request.secure || transport_.is_secure(),
                                         .extra_headers = &core_.options.extra_headers});
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
        in_loop([wanted = result.status](Connection& c) { c.await_taker(wanted); });
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
void Connection::await_taker(Transport::Status wanted) {
  if (phase_ != Phase::writing) {
    phase_ = Phase::writing;
    set_deadline(Clock::now() + core_.options.limits.answer);
    if (!charge()) return close();
  }
  wait(wanted == Transport::Status::wants_read ? Socket::wait_read : Socket::wait_write);
}

void Connection::on_answered() {
  if (!exchange_->keep_alive) return in_loop([](Connection& c) { c.linger(); });
  exchange_.reset();
  if (!pending_.empty() || transport_.has_buffered()) {
    // Not at once: a long row of requests sent ahead would nest as deep.
    net::post(socket_.get_executor(), [self = shared_from_this()] { self->resume(); });
    return;
  }
  core_.buffered -= std::exchange(charged_, 0);
  deadline_.store(Clock::now() + core_.options.limits.idle, std::memory_order_relaxed);
  phase_.store(Phase::idle, std::memory_order_release);
  wait(Socket::wait_read);
}

void Connection::resume() {
  phase_ = Phase::reading;
  if (!pending_.empty() && advance(pending_) == Next::stop) return;
  read();
}

/// The last answer has left. Closing at once would make the kernel throw it away where the client is still sending.
void Connection::linger() {
  exchange_.reset();
  pending_ = {};
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
