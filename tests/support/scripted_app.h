// An app that does what a test wants it to: an HTTP server on a free port of 127.0.0.1, in threads of its own, one
// request for each connection, TLS by OpenSSL with throw-away certificates, and a record of all it was asked.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/test_certificates.h"

namespace invited::test {

struct HttpRequest {
  std::string head;  ///< request line and headers as they came
  std::string body;

  std::string line() const { return head.substr(0, head.find("\r\n")); }
  /// The value of a header; nothing where it is not there.
  std::optional<std::string> header(std::string_view name) const;
};

/// "HTTP/1.1 <status>", Content-Type text/xml, Content-Length, and the body.
std::string http_answer(const std::string& status, const std::string& body, const std::string& more_headers = {});
/// A SOAP 1.1 message with that inside its Body.
std::string soap_body(const std::string& content);
/// What a well-behaved app answers.
std::string refreshed();

class ScriptedApp {
 public:
  /// The bytes to answer with. Called in a thread of the connection's; may block. Nothing: no answer until the client
  /// or the app goes.
  using Answer = std::function<std::optional<std::string>(const HttpRequest&)>;

  explicit ScriptedApp(std::optional<CertificateKind> tls = std::nullopt);
  ~ScriptedApp();
  ScriptedApp(const ScriptedApp&) = delete;
  ScriptedApp& operator=(const ScriptedApp&) = delete;

  /// Where it offers RefreshAPI, on "localhost" where it speaks TLS.
  std::string url() const;

  /// From now on.
  void answer(Answer answer);
  void answer(std::string bytes);
  void say_nothing();

  std::vector<HttpRequest> requests() const;
  /// Waits until there were so many requests; false after 20 s.
  bool wait_for(std::size_t count) const;
  /// Most requests that were under way at once.
  int most_at_once() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A port on which nobody listens.
std::uint16_t closed_port();

}  // namespace invited::test
