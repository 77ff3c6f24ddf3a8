#include "http/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace invited::http {
namespace {

using boost::system::error_code;

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

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
  loop_.handshakes.remove(*this);
  core_.buffered -= std::exchange(charged_, 0);
  exchange_.reset();
  release_pending();
  error_code ignored;
  ignored = socket_.close(ignored);  // nobody is left to be told
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
    note_handshake();
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
        if (!charge()) return close();
        wait(Socket::wait_read);
        return;
      case Transport::Status::wants_write:
        if (!charge()) return close();
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

void Connection::note_handshake() {
  if (transport_.is_established())
    loop_.handshakes.remove(*this);
  else
    loop_.handshakes.add(*this, Clock::now());
}

void Connection::give_up() { close(); }

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
        if (bytes == "\r\n") {
          // Old clients end a body with an empty line too many. It begins no request, so no deadline of one.
          exchange_.reset();
          release_pending();
          core_.buffered -= std::exchange(charged_, 0);
          phase_ = Phase::idle;
          return Next::wait;
        }
        [[fallthrough]];
      case RequestReader::State::body:
        keep(bytes, used);
        return await_more();
      case RequestReader::State::complete:
        keep(bytes, used);
        hand_over();
        return Next::stop;
      case RequestReader::State::refused:
        if (const auto target = parse_target(reader.target()); target && exchange_->error_renderer == nullptr) {
          const auto match = core_.router.match("", target->path);
          exchange_->error_renderer = match.error_renderer;
          exchange_->cors = match.cors;
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
  if (pending_.empty()) release_pending();
}

/// Neither clear() nor an assignment gives the memory back.
void Connection::release_pending() { std::string().swap(pending_); }

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
  std::size_t size = pending_.capacity() + transport_.held();
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
  if (!target) {
    const auto refused = core_.router.match_refused(reader.target());
    exchange.error_renderer = refused.error_renderer;
    exchange.cors = refused.cors;
    return Denial{{404, "There is nothing at this address."}, close};
  }
  request.path = std::move(target->path);
  request.query = std::move(target->query);
  request.has_query = target->has_query;
  auto match = core_.router.match(request.method, request.path);
  exchange.route = match.route;
  exchange.error_renderer = match.error_renderer;
  exchange.cors = match.cors;
  if (match.route == nullptr) {
    if (match.allow.empty()) return Denial{{404, "There is nothing at this address."}, close};
    return Denial{{405, "This address does not answer that method."}, close, match.allow};
  }
  if (const auto refusal = fields.check_route(*match.route, core_.options.limits)) return Denial{*refusal, close};

  request.path_parameters = std::move(match.path_parameters);
  request.secure = transport_.is_secure() || core_.options.is_behind_tls;
  if (core_.trusted_proxies.contains(peer_)) {
    // A browser: programs of the proxy's own machine may well come by themselves.
    if (request.headers.count("X-Forwarded-For") == 0 && request.headers.get("Accept").contains("text/html") &&
        core_.is_first_silent_proxy())
      base::log::warning("http.forwarded_for_missing",
                         {{"proxy", peer_text_},
                          {"effect",
                           "all who come through it share the limits of one address: a stranger can use "
                           "them up"},
                          {"remedy",
                           "have it set X-Forwarded-For (nginx: proxy_set_header X-Forwarded-For "
                           "$remote_addr;)"}});
    auto client = core_.trusted_proxies.client_of(peer_, request.secure, request.headers);
    request.client_address = std::move(client.address);
    // With an https public URL every request counts as secure, whatever a proxy in between says.
    request.secure = client.secure || core_.options.is_behind_tls;
  } else {
    request.client_address = peer_text_;
  }
  exchange.expects_continue = fields.expects_continue() && reader.version() == 11;
  exchange.body_started = Clock::now();
  const auto& options = match.route->options;
  reader.read_body(options.max_body != 0 ? options.max_body : core_.options.limits.body);
  return std::nullopt;
}

/// The request is whole: to the workers, mostly.
void Connection::hand_over() {
  const auto now = Clock::now();
  loop_.schedule(*this, now + core_.options.limits.idle);  // the worker, when it is done, cannot
  loop_.watch_queue();
  self_ = shared_from_this();
  phase_.store(Phase::running, std::memory_order_release);
  if (exchange_->route->options.runs_at_once) return run();
  const bool hashes = exchange_->route->options.hashes_passwords;
  if (hashes) exchange_->hashing = core_.take_hashing_turn();
  if ((!hashes || exchange_->hashing) && core_.pool.submit(*this, now)) return;  // from here on it may be gone
  const auto self = std::move(self_);
  respond(busy());
}

}  // namespace invited::http
