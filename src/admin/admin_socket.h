// How the command line reaches the running service: a Unix socket, `admin.sock` (mode 0600) in the state folder. One
// connection is one request line and one answer line of JSON. The peer must run as the same user or root. The server
// has one thread of its own and serves one connection after the other, each with a deadline; it must be started only
// by the process that holds the store's lock, because it takes the place of a socket that a dead one left behind.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "domain/error.h"

namespace invited::admin {

inline constexpr std::string_view kSocketName = "admin.sock";
/// Longest line; an import of ten thousand roles is 1 MiB.
inline constexpr std::size_t kMaxLine = 16UL * 1024 * 1024;

class AdminSocketServer {
 public:
  /// The answer to one request line, without line end; called on the server's thread.
  using Answer = std::function<std::string(const std::string& request)>;

  struct Options {
    std::chrono::milliseconds receive_deadline{5000};  ///< for the whole request line
    std::chrono::milliseconds send_deadline{10'000};
  };

  /// Listens in `state_dir`. Error: unavailable, with the system's reason.
  static domain::Result<std::unique_ptr<AdminSocketServer>> start(const std::filesystem::path& state_dir, Answer answer,
                                                                  Options options);
  /// Finishes the command under way, then stops and removes the socket.
  ~AdminSocketServer();
  AdminSocketServer(const AdminSocketServer&) = delete;
  AdminSocketServer& operator=(const AdminSocketServer&) = delete;

 private:
  struct State;
  explicit AdminSocketServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Sends one request line and returns the answer line; nothing where no service listens in `state_dir`. Errors:
/// unavailable (another user's socket; the request did not get through, so nothing was done); outcome_unknown (the
/// request got through, and no answer came within `deadline`, or the connection was cut).
domain::Result<std::optional<std::string>> call_service(const std::filesystem::path& state_dir,
                                                        const std::string& request, std::chrono::milliseconds deadline);

}  // namespace invited::admin
