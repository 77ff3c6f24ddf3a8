#include "admin/admin_socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

#include "base/descriptor.h"
#include "base/log.h"
#include "base/secret.h"

namespace invited::admin {
namespace {

using base::Descriptor;
using domain::ErrorCode;
using domain::refuse;
using domain::Result;
using SteadyTime = std::chrono::steady_clock::time_point;

std::unexpected<domain::Error> system_error(const std::string& what) {
  return refuse(ErrorCode::unavailable, what + ": " + std::strerror(errno) + ".");
}

/// The address of the socket. A path may have 107 bytes only; a longer one is reached through an open folder, which
/// `folder` must keep open until the address was used.
struct Address {
  sockaddr_un address{};
  Descriptor folder;

  bool set(const std::filesystem::path& state_dir) {
    address.sun_family = AF_UNIX;
    std::string path = (state_dir / kSocketName).string();
    if (path.size() >= sizeof(address.sun_path)) {
      folder = Descriptor(::open(state_dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
      if (!folder.valid()) return false;
      path = "/proc/self/fd/" + std::to_string(folder.get()) + "/" + std::string(kSocketName);
    }
    std::ranges::copy(path, std::begin(address.sun_path));
    return true;
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
};

/// Waits for `events` on `descriptor`; false at the deadline, or when `wake` becomes readable (-1: none).
bool wait_for(int descriptor, short events, SteadyTime deadline, int wake) {
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    if (left <= 0) return false;
    std::array<pollfd, 2> polled{pollfd{descriptor, events, 0}, pollfd{wake, POLLIN, 0}};
    const int ready = ::poll(polled.data(), polled.size(), static_cast<int>(std::min<long>(left, 60'000)));
    if (ready < 0 && errno != EINTR) return false;
    if (ready <= 0) continue;
    if (polled[1].revents != 0) return false;
    if (polled[0].revents != 0) return true;
  }
}

bool send_line(int descriptor, std::string line, SteadyTime deadline) {
  line += '\n';
  std::string_view left = line;
  while (!left.empty()) {
    const ssize_t sent = ::send(descriptor, left.data(), left.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      left.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    const int reason = sent < 0 ? errno : EAGAIN;
    if (reason == EINTR) continue;
    if (reason != EAGAIN || !wait_for(descriptor, POLLOUT, deadline, -1)) break;
  }
  const bool complete = left.empty();
  base::wipe(line);  // may hold a password
  return complete;
}

/// One line without its end; nothing at the deadline, the end of the stream before a line end, or over kMaxLine.
std::optional<std::string> receive_line(int descriptor, SteadyTime deadline, int wake) {
  std::string line;
  std::array<char, 65'536> buffer;
  while (wait_for(descriptor, POLLIN, deadline, wake)) {
    const ssize_t received = ::recv(descriptor, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (received < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (received <= 0) return std::nullopt;
    const std::string_view part(buffer.data(), static_cast<std::size_t>(received));
    const std::size_t end = part.find('\n');
    line += part.substr(0, end);
    if (end != std::string_view::npos) return line;
    if (line.size() > kMaxLine) return std::nullopt;
  }
  return std::nullopt;
}

bool may_command(int connection) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == ::geteuid() || peer.uid == 0;
}

}  // namespace

struct AdminSocketServer::State {
  std::filesystem::path path;
  Answer answer;
  Options options;
  Descriptor listener;
  Descriptor wake;
  std::thread thread;

  void run() const {
    for (;;) {
      std::array<pollfd, 2> polled{pollfd{listener.get(), POLLIN, 0}, pollfd{wake.get(), POLLIN, 0}};
      if (::poll(polled.data(), polled.size(), -1) < 0 && errno != EINTR) return;
      if (polled[1].revents != 0) return;
      if (polled[0].revents == 0) continue;
      const Descriptor connection(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (connection.valid()) serve(connection.get());
    }
  }

  void serve(int connection) const {
    if (!may_command(connection)) {
      base::log::warning("admin.refused", {{"reason", "another user"}});
      return;
    }
    auto request = receive_line(connection, std::chrono::steady_clock::now() + options.receive_deadline, wake.get());
    if (!request) return;
    std::string reply = answer(*request);
    base::wipe(*request);
    send_line(connection, std::move(reply), std::chrono::steady_clock::now() + options.send_deadline);
  }
};

AdminSocketServer::AdminSocketServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<AdminSocketServer>> AdminSocketServer::start(const std::filesystem::path& state_dir,
                                                                    Answer answer, Options options) {
  auto state = std::make_unique<State>();
  state->path = state_dir / kSocketName;
  state->answer = std::move(answer);
  state->options = options;
  state->listener = Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  state->wake = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  Address address;
  if (!state->listener.valid() || !state->wake.valid() || !address.set(state_dir))
    return system_error("The admin socket cannot be made");
  ::unlink(state->path.c_str());
  // On Linux the mode of an unbound socket becomes its file's: the file is never there with a wider one.
  if (::fchmod(state->listener.get(), 0600) != 0 ||
      ::bind(state->listener.get(), address.get(), sizeof(address.address)) != 0 ||
      ::chmod(state->path.c_str(), 0600) != 0 || ::listen(state->listener.get(), 16) != 0)
    return system_error("The admin socket " + state->path.string() + " cannot be made");
  state->thread = std::thread([raw = state.get()] { raw->run(); });
  return std::unique_ptr<AdminSocketServer>(new AdminSocketServer(std::move(state)));
}

AdminSocketServer::~AdminSocketServer() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(state_->wake.get(), &one, sizeof(one));
  state_->thread.join();
  ::unlink(state_->path.c_str());
}

Result<std::optional<std::string>> call_service(const std::filesystem::path& state_dir, const std::string& request,
                                                std::chrono::milliseconds deadline) {
  const SteadyTime end = std::chrono::steady_clock::now() + deadline;
  const std::string path = (state_dir / kSocketName).string();
  const Descriptor connection(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  Address address;
  if (!address.set(state_dir)) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    return system_error(state_dir.string() + " cannot be opened");
  }
  if (!connection.valid()) return system_error("A socket cannot be made");
  if (::connect(connection.get(), address.get(), sizeof(address.address)) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR) return std::nullopt;
    if (errno == EACCES || errno == EPERM)
      return refuse(ErrorCode::unavailable,
                    "The service's socket " + path + " belongs to another user: run this as that user, or as root.");
    return system_error("The service's socket " + path + " cannot be reached");
  }
  if (!send_line(connection.get(), request, end))
    return refuse(ErrorCode::unavailable, "The service at " + path + " does not take the command: see its log.");
  auto reply = receive_line(connection.get(), end, -1);
  // Waiting ends where less than a millisecond is left.
  if (!reply && std::chrono::steady_clock::now() + std::chrono::milliseconds(1) >= end)
    return refuse(ErrorCode::outcome_unknown,
                  "The service at " + path + " did not answer within " +
                      std::to_string(std::chrono::ceil<std::chrono::seconds>(deadline).count()) +
                      " s: it is stopped by a signal or its disk does not answer. See its log, look whether the "
                      "command took effect, and repeat it if not.");
  if (!reply)
    return refuse(ErrorCode::outcome_unknown, "The service at " + path +
                                                  " ended before it answered, or runs as another user: see its log, "
                                                  "look whether the command took effect, and repeat it if not.");
  return reply;
}

}  // namespace invited::admin
