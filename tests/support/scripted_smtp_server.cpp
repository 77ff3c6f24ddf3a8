#include "support/scripted_smtp_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace invited::test {

namespace {

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

std::string between_brackets(const std::string& line) {
  const auto begin = line.find('<');
  const auto end = line.find('>', begin);
  return begin == std::string::npos || end == std::string::npos ? "" : line.substr(begin + 1, end - begin - 1);
}

}  // namespace

// --- the server ------------------------------------------------------------------------------------------------------

struct ScriptedSmtpServer::State {
  ScriptedSmtpOptions options;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> tls{SSL_CTX_new(TLS_server_method()), &SSL_CTX_free};
  int listener = -1;
  std::uint16_t port = 0;
  std::thread acceptor;

  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  bool stopping = false;
  std::map<std::string, std::vector<Reply>> script;
  std::vector<std::string> commands;
  std::vector<ReceivedMail> mails;
  std::vector<std::thread> threads;
  std::vector<int> sockets;
  int connections = 0;
  int at_once = 0;
  int most_at_once = 0;

  Reply next(const std::string& stage) {
    const std::lock_guard lock(mutex);
    auto& replies = script[stage];
    if (replies.empty()) return {"502 not scripted"};
    Reply reply = replies.front();
    if (replies.size() > 1) replies.erase(replies.begin());
    return reply;
  }
};

class ScriptedSmtpServer::Connection {
 public:
  Connection(State& state, int socket) : state_(state), socket_(socket) {}
  ~Connection() {
    leave_delivery();
    SSL_free(ssl_);
  }

  void serve() {
    if (state_.options.implicit_tls && !start_tls()) return;
    if (!answer("banner")) return;
    std::string line;
    while (read_line(line)) {
      record(line);
      const std::string command = upper(line);
      if (!handle(command, line)) return;
    }
  }

 private:
  bool handle(const std::string& command, const std::string& line) {
    if (command.starts_with("EHLO") || command.starts_with("HELO")) return answer(ssl_ ? "ehlo_tls" : "ehlo");
    if (command == "STARTTLS") return starttls();
    if (command.starts_with("AUTH")) return auth(line);
    if (command.starts_with("MAIL FROM:")) {
      mail_ = {between_brackets(line), "", "", "", ssl_ != nullptr};
      enter_delivery();
      return answer("mail_from");
    }
    if (command.starts_with("RCPT TO:")) {
      mail_.recipient = between_brackets(line);
      return answer("rcpt_to");
    }
    if (command == "DATA") return data();
    if (command == "NOOP") return answer("noop");
    if (command == "QUIT") {
      answer("quit");
      return false;
    }
    return say({"500 what?"});
  }

  bool starttls() {
    const Reply reply = state_.next("starttls");
    if (!say(reply) || reply.then_close) return false;
    if (!reply.lines.starts_with("220")) return true;
    buffer_.clear();
    return start_tls();
  }

  bool auth(const std::string& line) {
    // "AUTH PLAIN" without an initial response asks for one; LOGIN asks twice.
    std::string answer_line;
    const int steps = upper(line).starts_with("AUTH LOGIN") ? 2 : line.find(' ', 5) == std::string::npos ? 1 : 0;
    for (int step = 0; step < steps; ++step) {
      if (!say({"334 "}) || !read_line(answer_line)) return false;
      record(answer_line);
    }
    return answer("auth");
  }

  bool data() {
    const Reply reply = state_.next("data");
    if (!say(reply) || reply.then_close) return false;
    if (!reply.lines.starts_with("354")) return true;
    while (true) {
      const auto end = buffer_.find("\r\n.\r\n");
      if (end != std::string::npos) {
        mail_.raw = buffer_.substr(0, end + 2);
        buffer_.erase(0, end + 5);
        break;
      }
      if (!fill()) return false;
    }
    mail_.content.clear();
    for (std::size_t at = 0; at < mail_.raw.size();) {
      const auto end = mail_.raw.find("\r\n", at) + 2;
      const std::string line = mail_.raw.substr(at, end - at);
      mail_.content += line.starts_with('.') ? line.substr(1) : line;
      at = end;
    }
    const Reply verdict = state_.next("message");
    {
      // Before the reply, which is what the tests' client waits for.
      const std::lock_guard lock(state_.mutex);
      state_.mails.push_back(mail_);
    }
    state_.changed.notify_all();
    leave_delivery();
    return say(verdict) && !verdict.then_close;
  }

  bool answer(const std::string& stage) {
    const Reply reply = state_.next(stage);
    return say(reply) && !reply.then_close;
  }

  bool say(const Reply& reply) {
    if (reply.delay.count() > 0) {
      std::unique_lock lock(state_.mutex);
      state_.changed.wait_for(lock, reply.delay, [this] { return state_.stopping; });
    }
    if (reply.lines.empty()) return true;
    const std::string bytes = reply.lines + "\r\n";
    if (ssl_ != nullptr) return SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) > 0;
    return ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }

  bool start_tls() {
    ssl_ = SSL_new(state_.tls.get());
    SSL_set_fd(ssl_, socket_);
    if (SSL_accept(ssl_) == 1) return true;
    SSL_free(ssl_);
    ssl_ = nullptr;
    return false;
  }

  bool fill() {
    char bytes[4096];
    const auto size = ssl_ != nullptr ? SSL_read(ssl_, bytes, sizeof bytes)
                                      : static_cast<int>(::recv(socket_, bytes, sizeof bytes, 0));
    if (size <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(size));
    return true;
  }

  bool read_line(std::string& line) {
    while (true) {
      if (const auto end = buffer_.find("\r\n"); end != std::string::npos) {
        line = buffer_.substr(0, end);
        buffer_.erase(0, end + 2);
        return true;
      }
      if (!fill()) return false;
    }
  }

  void record(const std::string& line) {
    const std::lock_guard lock(state_.mutex);
    state_.commands.push_back((ssl_ != nullptr ? "tls " : "plain ") + line);
  }

  void enter_delivery() {
    const std::lock_guard lock(state_.mutex);
    if (!delivering_) state_.most_at_once = std::max(state_.most_at_once, ++state_.at_once);
    delivering_ = true;
  }
  void leave_delivery() {
    const std::lock_guard lock(state_.mutex);
    if (delivering_) --state_.at_once;
    delivering_ = false;
  }

  State& state_;
  int socket_;
  SSL* ssl_ = nullptr;
  std::string buffer_;
  ReceivedMail mail_;
  bool delivering_ = false;
};

ScriptedSmtpServer::ScriptedSmtpServer(ScriptedSmtpOptions options) : state_(std::make_unique<State>()) {
  std::signal(SIGPIPE, SIG_IGN);
  State& state = *state_;
  state.options = options;
  if (options.newest_tls != 0) {
    SSL_CTX_set_security_level(state.tls.get(), 0);
    SSL_CTX_set_min_proto_version(state.tls.get(), 0);
    SSL_CTX_set_max_proto_version(state.tls.get(), options.newest_tls);
    SSL_CTX_set_cipher_list(state.tls.get(), "ALL:@SECLEVEL=0");
  }
  use_test_certificate(state.tls.get(), options.certificate);

  const std::string offers = "250-relay.test\r\n250-SIZE 1000000\r\n250-8BITMIME\r\n";
  const std::string plain_offers = options.implicit_tls ? offers + "250 AUTH PLAIN LOGIN" : offers + "250 STARTTLS";
  state.script = {{"banner", {{"220 relay.test ESMTP"}}},
                  {"ehlo", {{plain_offers}}},
                  {"ehlo_tls", {{offers + "250 AUTH PLAIN LOGIN"}}},
                  {"starttls", {{"220 go ahead"}}},
                  {"auth", {{"235 2.7.0 welcome"}}},
                  {"mail_from", {{"250 2.1.0 sender ok"}}},
                  {"rcpt_to", {{"250 2.1.5 recipient ok"}}},
                  {"data", {{"354 end with a dot"}}},
                  {"message", {{"250 2.0.0 queued as 1"}}},
                  {"noop", {{"250 ok"}}},
                  {"quit", {{"221 bye"}}}};

  state.listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(state.listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(state.listener, 64) != 0)
    throw std::runtime_error("cannot listen");
  ::getsockname(state.listener, reinterpret_cast<sockaddr*>(&address), &size);
  state.port = ntohs(address.sin_port);

  state.acceptor = std::thread([&state] {
    while (true) {
      const int socket = ::accept4(state.listener, nullptr, nullptr, SOCK_CLOEXEC);
      const std::lock_guard lock(state.mutex);
      if (socket < 0 || state.stopping) {
        if (socket >= 0) ::close(socket);
        return;
      }
      state.connections += 1;
      state.sockets.push_back(socket);
      state.threads.emplace_back([&state, socket] {
        {
          Connection connection(state, socket);
          connection.serve();
        }
        ::shutdown(socket, SHUT_RDWR);  // closed when the server dies, so that the number is not used again before
      });
    }
  });
}

ScriptedSmtpServer::~ScriptedSmtpServer() {
  State& state = *state_;
  {
    const std::lock_guard lock(state.mutex);
    state.stopping = true;
    for (const int socket : state.sockets) ::shutdown(socket, SHUT_RDWR);
  }
  state.changed.notify_all();
  ::shutdown(state.listener, SHUT_RDWR);
  state.acceptor.join();
  for (std::thread& thread : state.threads) thread.join();
  for (const int socket : state.sockets) ::close(socket);
  ::close(state.listener);
}

std::uint16_t ScriptedSmtpServer::port() const { return state_->port; }

void ScriptedSmtpServer::say(const std::string& stage, std::vector<Reply> replies) {
  const std::lock_guard lock(state_->mutex);
  state_->script[stage] = std::move(replies);
}

int ScriptedSmtpServer::connections() const {
  const std::lock_guard lock(state_->mutex);
  return state_->connections;
}

std::vector<std::string> ScriptedSmtpServer::commands() const {
  const std::lock_guard lock(state_->mutex);
  return state_->commands;
}

std::vector<ReceivedMail> ScriptedSmtpServer::mails() const {
  const std::lock_guard lock(state_->mutex);
  return state_->mails;
}

bool ScriptedSmtpServer::wait_for_mails(std::size_t count) const {
  std::unique_lock lock(state_->mutex);
  return state_->changed.wait_for(lock, std::chrono::seconds(20), [&] { return state_->mails.size() >= count; });
}

int ScriptedSmtpServer::most_at_once() const {
  const std::lock_guard lock(state_->mutex);
  return state_->most_at_once;
}

}  // namespace invited::test
