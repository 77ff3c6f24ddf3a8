#include "support/scripted_app.h"

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

namespace invited::test {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](unsigned char c) { return std::tolower(c); });
  return result;
}

std::pair<int, std::uint16_t> listen_somewhere() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener, 64) != 0)
    throw std::runtime_error("cannot listen");
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  return {listener, ntohs(address.sin_port)};
}

}  // namespace

std::optional<std::string> HttpRequest::header(std::string_view name) const {
  const std::string wanted = "\r\n" + lower(name) + ":";
  const auto at = lower(head).find(wanted);
  if (at == std::string::npos) return std::nullopt;
  const auto begin = head.find_first_not_of(' ', at + wanted.size());
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

std::string http_answer(const std::string& status, const std::string& body, const std::string& more_headers) {
  return "HTTP/1.1 " + status +
         "\r\nContent-Type: text/xml; charset=utf-8\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         more_headers + "\r\n" + body;
}

std::string soap_body(const std::string& content) {
  return R"(<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">)"
         "<soap:Body>" +
         content + "</soap:Body></soap:Envelope>";
}

std::string refreshed() {
  return http_answer("200 OK", soap_body(R"(<m:RefreshUserPermissionsResponse xmlns:m="http://home.mendix.com/"/>)"));
}

std::uint16_t closed_port() {
  const auto [listener, port] = listen_somewhere();
  ::close(listener);
  return port;
}

struct ScriptedApp::State {
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> tls{nullptr, &SSL_CTX_free};
  int listener = -1;
  std::uint16_t port = 0;
  std::thread acceptor;

  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  bool stopping = false;
  Answer answer;
  std::vector<HttpRequest> requests;
  std::vector<std::thread> threads;
  std::vector<int> sockets;
  int at_once = 0;
  int most_at_once = 0;

  void serve(int socket) {
    SSL* ssl = nullptr;
    if (tls) {
      ssl = SSL_new(tls.get());
      SSL_set_fd(ssl, socket);
      if (SSL_accept(ssl) != 1) {
        SSL_free(ssl);
        return;
      }
    }
    const auto read = [&](char* bytes, int size) {
      return ssl != nullptr ? SSL_read(ssl, bytes, size)
                            : static_cast<int>(::recv(socket, bytes, static_cast<std::size_t>(size), 0));
    };
    HttpRequest request;
    if (read_request(read, request)) {
      const auto bytes = handle(request);
      if (!bytes) {
        char waiting = 0;
        read(&waiting, 1);  // until somebody goes
      } else if (ssl != nullptr) {
        SSL_write(ssl, bytes->data(), static_cast<int>(bytes->size()));
        SSL_shutdown(ssl);
      } else {
        ::send(socket, bytes->data(), bytes->size(), MSG_NOSIGNAL);
      }
      const std::lock_guard lock(mutex);
      --at_once;
    }
    SSL_free(ssl);
  }

  template <class Read>
  static bool read_request(const Read& read, HttpRequest& request) {
    std::string all;
    char bytes[4096];
    while (true) {
      const auto end = all.find("\r\n\r\n");
      if (end != std::string::npos) {
        request.head = all.substr(0, end + 2);
        const std::size_t length = std::stoul(request.header("Content-Length").value_or("0"));
        request.body = all.substr(end + 4);
        if (request.body.size() >= length) return true;
      }
      const int size = read(bytes, sizeof bytes);
      if (size <= 0) return false;
      all.append(bytes, static_cast<std::size_t>(size));
    }
  }

  std::optional<std::string> handle(const HttpRequest& request) {
    Answer answer_now;
    {
      const std::lock_guard lock(mutex);
      requests.push_back(request);
      most_at_once = std::max(most_at_once, ++at_once);
      answer_now = answer;
    }
    changed.notify_all();
    return answer_now(request);
  }
};

ScriptedApp::ScriptedApp(std::optional<CertificateKind> tls) : state_(std::make_unique<State>()) {
  std::signal(SIGPIPE, SIG_IGN);
  State& state = *state_;
  answer(refreshed());
  if (tls) {
    state.tls.reset(SSL_CTX_new(TLS_server_method()));
    use_test_certificate(state.tls.get(), *tls);
  }
  std::tie(state.listener, state.port) = listen_somewhere();
  state.acceptor = std::thread([&state] {
    while (true) {
      const int socket = ::accept4(state.listener, nullptr, nullptr, SOCK_CLOEXEC);
      const std::lock_guard lock(state.mutex);
      if (socket < 0 || state.stopping) {
        if (socket >= 0) ::close(socket);
        return;
      }
      state.sockets.push_back(socket);
      state.threads.emplace_back([&state, socket] {
        state.serve(socket);
        ::shutdown(socket, SHUT_RDWR);  // closed when the app dies, so that the number is not used again before
      });
    }
  });
}

ScriptedApp::~ScriptedApp() {
  State& state = *state_;
  {
    const std::lock_guard lock(state.mutex);
    state.stopping = true;
    for (const int socket : state.sockets) ::shutdown(socket, SHUT_RDWR);
  }
  ::shutdown(state.listener, SHUT_RDWR);
  state.acceptor.join();
  for (std::thread& thread : state.threads) thread.join();
  for (const int socket : state.sockets) ::close(socket);
  ::close(state.listener);
}

std::string ScriptedApp::url() const {
  return (state_->tls ? "https://localhost:" : "http://127.0.0.1:") + std::to_string(state_->port) + "/ws/RefreshAPI";
}

void ScriptedApp::answer(Answer answer) {
  const std::lock_guard lock(state_->mutex);
  state_->answer = std::move(answer);
}

void ScriptedApp::answer(std::string bytes) {
  answer([bytes = std::move(bytes)](const HttpRequest&) { return bytes; });
}

void ScriptedApp::say_nothing() {
  answer([](const HttpRequest&) { return std::nullopt; });
}

std::vector<HttpRequest> ScriptedApp::requests() const {
  const std::lock_guard lock(state_->mutex);
  return state_->requests;
}

bool ScriptedApp::wait_for(std::size_t count) const {
  std::unique_lock lock(state_->mutex);
  return state_->changed.wait_for(lock, std::chrono::seconds(20), [&] { return state_->requests.size() >= count; });
}

int ScriptedApp::most_at_once() const {
  const std::lock_guard lock(state_->mutex);
  return state_->most_at_once;
}

}  // namespace invited::test
