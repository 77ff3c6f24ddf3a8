// A TCP client that sends exactly the bytes it is told, however wrong, and reads answers one by one: for tests of the
// listener. Every wait ends after ten seconds, as a failure.
#pragma once

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace invited::test {

struct RawAnswer {
  int status = 0;  ///< 0: the connection ended without one
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  std::string header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key.size() == name.size() && ::strncasecmp(key.data(), name.data(), name.size()) == 0) return value;
    }
    return {};
  }
  bool has(std::string_view name) const {
    return std::ranges::any_of(headers, [&](const auto& field) {
      return field.first.size() == name.size() && ::strncasecmp(field.first.data(), name.data(), name.size()) == 0;
    });
  }
};

class RawHttpClient {
 public:
  static constexpr std::chrono::milliseconds kPatience{10'000};

  struct Unconnected {};
  /// Has its descriptor, but waits for connect().
  explicit RawHttpClient(Unconnected) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket_ < 0) throw std::runtime_error("socket");
  }
  /// `from`: the client's own address, "127.0.0.2".
  explicit RawHttpClient(std::uint16_t port, const char* from = nullptr, int receive_buffer = 0)
      : RawHttpClient(Unconnected{}) {
    if (receive_buffer > 0) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    if (from != nullptr) {
      const auto address = address_of(from, 0);
      if (::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("bind");
    }
    connect(port);
  }
  void connect(std::uint16_t port) {
    const auto address = address_of("127.0.0.1", port);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("connect");
    const int yes = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  }
  ~RawHttpClient() { close(); }
  RawHttpClient(const RawHttpClient&) = delete;
  RawHttpClient& operator=(const RawHttpClient&) = delete;

  /// False where the server has closed before it took everything.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void finish_sending() { ::shutdown(socket_, SHUT_WR); }
  /// Ends the connection with a reset.
  void reset() {
    const linger hard{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close();
  }
  void close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }

  /// The next answer, whole. `to_head`: the request was a HEAD, so no body follows.
  RawAnswer read_answer(bool to_head = false) {
    RawAnswer answer;
    std::size_t end = 0;
    while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
      if (!receive()) return answer;
    }
    std::string_view head(received_.data(), end + 2);
    answer.status = head.size() > 12 && head.starts_with("HTTP/1.1 ") ? std::stoi(std::string(head.substr(9, 3))) : -1;
    head.remove_prefix(head.find("\r\n") + 2);
    while (!head.empty()) {
      const auto line = head.substr(0, head.find("\r\n"));
      const auto colon = line.find(": ");
      answer.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
      head.remove_prefix(line.size() + 2);
    }
    received_.erase(0, end + 4);
    const std::string length = answer.header("Content-Length");
    const std::size_t size = to_head || length.empty() ? 0 : std::stoul(length);
    while (received_.size() < size) {
      if (!receive()) break;
    }
    answer.body = received_.substr(0, size);
    received_.erase(0, std::min(size, received_.size()));
    return answer;
  }

  /// Whether the server closes, sending nothing more.
  bool is_closed() {
    if (!received_.empty()) return false;
    return !receive() && !timed_out_;
  }
  /// Whether nothing, not even an end, arrives for so long.
  bool is_silent_for(std::chrono::milliseconds time) {
    pollfd poll{socket_, POLLIN, 0};
    return received_.empty() && ::poll(&poll, 1, static_cast<int>(time.count())) == 0;
  }
  int descriptor() const { return socket_; }

 private:
  static sockaddr_in address_of(const char* text, std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    ::inet_pton(AF_INET, text, &address.sin_addr);
    return address;
  }

  [[noreturn]] void fail(const char* what) {
    const int error = errno;
    close();
    throw std::runtime_error(std::string(what) + ": " + std::strerror(error));
  }

  bool receive() {
    pollfd poll{socket_, POLLIN, 0};
    timed_out_ = ::poll(&poll, 1, static_cast<int>(kPatience.count())) <= 0;
    if (timed_out_) return false;
    char buffer[65536];
    const auto size = ::recv(socket_, buffer, sizeof buffer, 0);
    if (size <= 0) return false;
    received_.append(buffer, static_cast<std::size_t>(size));
    return true;
  }

  int socket_ = -1;
  std::string received_;
  bool timed_out_ = false;
};

}  // namespace invited::test
