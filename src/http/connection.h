// One client's connection. It is always in one pair of hands: its I/O loop's while it reads, waits or closes, a
// worker's from the moment a whole request is queued until its answer has left (the worker sends it itself, which
// spares the loop a wake-up), or until its handler has put the answer off: then it is the answer's. An idle connection
// holds no buffer and no parser. Lives as long as something waits for it.
#pragma once

#include <atomic>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/client_address.h"
#include "http/deadline_queue.h"
#include "http/listener_state.h"
#include "http/request_reader.h"
#include "http/transport.h"
#include "http/worker_pool.h"

namespace invited::http {

class Connection final : public std::enable_shared_from_this<Connection>,
                         public DeadlineQueue::Entry,
                         private Handshakes::Entry,
                         private WorkerPool::Task {
 public:
  using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;
  using Clock = std::chrono::steady_clock;

  /// `counted` is released when the connection closes.
  Connection(ServerCore& core, IoLoop& loop, Socket socket, const Address& peer,
             std::optional<AddressCounter::Key> counted, const std::shared_ptr<const TlsContext>& tls);
  ~Connection() override;

  // The following are called in the loop's thread.
  void start();
  /// Closes it unless it is amid a request.
  void close_if_idle();
  void close();

 private:
  enum class Phase : std::uint8_t { idle, reading, running, writing, lingering, closed };

  /// What there is of a request and its answer, from the first byte to the last.
  struct Exchange {
    explicit Exchange(const Limits& limits) : reader(limits) {}

    RequestReader reader;
    Clock::time_point started = Clock::now();
    Clock::time_point body_started;
    const Route* route = nullptr;
    const ErrorRenderer* error_renderer = nullptr;
    const CorsPolicy* cors = nullptr;
    ServerCore::HashingTurn hashing;
    bool expects_continue = false;
    bool keep_alive = false;
    std::string answer;
    std::size_t sent = 0;
  };

  /// A request that is answered without its handler.
  struct Denial {
    Refusal refusal;
    bool close = true;
    std::string_view allow = {};
  };

  enum class Next { wait, stop };

  // In the loop's thread.
  void on_ready();
  void read();
  void on_end();
  Next take(std::string_view bytes);
  Next advance(std::string_view bytes);
  void keep(std::string_view bytes, std::size_t used);
  void release_pending();
  Next await_more();
  std::optional<Denial> admit();
  void hand_over();
  void deny(const Denial& denial);
  void await_taker(Socket::wait_type what);
  void resume();
  void linger();
  void discard();
  std::optional<Clock::time_point> on_time(Clock::time_point now) override;
  void set_deadline(Clock::time_point at);
  bool charge();
  void note_handshake();
  void give_up() override;

  class LateAnswer;

  // In a worker's thread; refuse() in any.
  void run() noexcept override;
  void run_late() noexcept;
  void refuse() noexcept override;

  // In whose hands it is.
  void respond(const Response& response);
  void write();
  void on_answered();
  void wait(Socket::wait_type what);
  void in_loop(void (*step)(Connection&));
  Response busy() const;
  Response failure() const;

  ServerCore& core_;
  IoLoop& loop_;
  Socket socket_;
  Transport transport_;
  const Address peer_;
  const std::string peer_text_;
  const std::optional<AddressCounter::Key> counted_;
  std::string pending_;  ///< received, not taken by a reader yet
  std::unique_ptr<Exchange> exchange_;
  std::shared_ptr<Connection> self_;  ///< while a worker has it
  std::size_t lingered_ = 0;
  std::size_t charged_ = 0;
  std::atomic<Clock::time_point> deadline_{};
  std::uint32_t wait_id_ = 0;  ///< of the latest wait(); the end of an older one means nothing
  std::atomic<Phase> phase_{Phase::idle};
};

}  // namespace invited::http
