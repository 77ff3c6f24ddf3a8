// What the connections of one server share: its options and counters (ServerCore), and an I/O thread's event loop,
// deadlines and read buffer (IoLoop). Inside http only. ServerCore is thread-safe; an IoLoop belongs to its thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "http/client_address.h"
#include "http/deadline_queue.h"
#include "http/handshakes.h"
#include "http/server.h"
#include "http/worker_pool.h"

namespace invited::http {

struct ServerCore {
  ServerCore(ServerOptions server_options, Router server_router)
      : options(std::move(server_options)),
        router(std::move(server_router)),
        pool(options.workers, options.queue_length, options.limits.queue_wait) {}

  const ServerOptions options;
  const Router router;
  TrustedProxies trusted_proxies;
  WorkerPool pool;
  AddressCounter addresses;
  std::atomic<bool> draining{false};
  std::atomic<std::size_t> buffered{0};  ///< bytes, see Limits::buffered

  /// True once: whoever comes through a proxy that does not say who calls shares its limits, and nothing else shows it.
  bool is_first_silent_proxy() { return !silent_proxy_seen_.exchange(true); }

  void connection_opened() { connections_.fetch_add(1); }
  void connection_closed() {
    if (connections_.fetch_sub(1) == 1 && draining) {
      const std::lock_guard lock(mutex_);
      all_closed_.notify_all();
    }
  }
  std::size_t connections() const { return connections_; }
  struct GiveBack {
    void operator()(std::atomic<std::size_t>* taken) const { taken->fetch_sub(1); }
  };
  /// The share in the workers of a request that hashes passwords, while it has it.
  using HashingTurn = std::unique_ptr<std::atomic<std::size_t>, GiveBack>;
  /// None where others have them all.
  HashingTurn take_hashing_turn() {
    HashingTurn turn(&hashing_);
    return hashing_.fetch_add(1) < std::max<std::size_t>(1, options.workers / 2) ? std::move(turn) : nullptr;
  }

  /// False when `timeout` is over first.
  bool wait_until_all_closed(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    return all_closed_.wait_for(lock, timeout, [&] { return connections_ == 0; });
  }

  // Answers that handlers have put off. Whoever ends one touches nothing of the server any more.
  void begin_late_answer() {
    const std::lock_guard lock(late_mutex_);
    ++late_answers_;
  }
  void end_late_answer() {
    const std::lock_guard lock(late_mutex_);
    if (--late_answers_ == 0) no_late_answers_.notify_all();
  }
  void wait_for_late_answers() {
    std::unique_lock lock(late_mutex_);
    no_late_answers_.wait(lock, [&] { return late_answers_ == 0; });
  }

 private:
  std::mutex late_mutex_;
  std::condition_variable no_late_answers_;
  std::size_t late_answers_ = 0;
  std::atomic<std::size_t> connections_{0};
  std::atomic<bool> silent_proxy_seen_{false};
  std::atomic<std::size_t> hashing_{0};
  std::mutex mutex_;
  std::condition_variable all_closed_;
};

class IoLoop {
 public:
  using Clock = std::chrono::steady_clock;

  explicit IoLoop(ServerCore& core)
      : core_(core),
        handshakes(core.options.limits.handshakes, core.options.limits.handshake_patience),
        scratch(kScratch) {}

  void start() {
    thread_ = std::thread([this] { io.run(); });
  }
  void stop() {
    io.stop();
    if (thread_.joinable()) thread_.join();
  }

  /// See DeadlineQueue::schedule().
  void schedule(DeadlineQueue::Entry& entry, Clock::time_point at) {
    deadlines.schedule(entry, at);
    if (at < armed_for_) arm(at);
  }

  /// Sees to it that a request that waits too long for a worker is refused in time.
  void watch_queue() {
    if (queue_watched_) return;
    queue_watched_ = true;
    queue_timer_.expires_after(core_.options.limits.queue_wait / 4);
    queue_timer_.async_wait([this](const boost::system::error_code& ec) {
      queue_watched_ = false;
      if (!ec && core_.pool.expire(Clock::now())) watch_queue();
    });
  }

 private:
  static constexpr std::size_t kScratch = 64 * 1024;
  /// Deadlines are looked at together, at most so often.
  static constexpr std::chrono::milliseconds kGranularity{10};

  void arm(Clock::time_point at) {
    armed_for_ = at;
    timer_.expires_at(at);
    timer_.async_wait([this](const boost::system::error_code& ec) {
      if (ec) return;
      const auto now = Clock::now();
      armed_for_ = Clock::time_point::max();
      deadlines.run(now);
      if (const auto next = deadlines.next(); next && *next < armed_for_) arm(std::max(*next, now + kGranularity));
    });
  }

  ServerCore& core_;
  Clock::time_point armed_for_ = Clock::time_point::max();
  bool queue_watched_ = false;
  std::thread thread_;

 public:
  DeadlineQueue deadlines;  // outlives `io`, whose end destroys the connections
  Handshakes handshakes;    // and so does this
  std::vector<char> scratch;
  boost::asio::io_context io{1};

 private:
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io.get_executor()};
  boost::asio::steady_timer timer_{io};
  boost::asio::steady_timer queue_timer_{io};
};

}  // namespace invited::http
