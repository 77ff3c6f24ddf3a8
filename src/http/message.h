// A request and a response as handlers see them: plain values, no Beast, no socket. A handler is a function from one to
// the other, run on a worker thread; several run at once. Tested without a server.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ascii.h"

namespace invited::http {

using base::equals_ignoring_case;

/// Field names are compared without letter case (RFC 9110 section 5.1).
class Headers {
 public:
  void add(std::string_view name, std::string_view value) { fields_.emplace_back(name, value); }
  /// Replaces all of that name.
  void set(std::string_view name, std::string_view value);
  /// The first of that name, or nothing.
  std::optional<std::string_view> find(std::string_view name) const;
  /// The first of that name, or empty.
  std::string_view get(std::string_view name) const { return find(name).value_or(std::string_view{}); }
  std::size_t count(std::string_view name) const;
  /// All of that name, one a line: for values that hold no line end, so that two of a field that may be there once are
  /// seen. Empty: none.
  std::string lines(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& all() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

using HeaderList = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;  ///< as sent: "GET"
  std::string path;    ///< percent-decoded once, e.g. "/ws/InviteAPI/1/soap1"; never holds NUL, "//", "/../"
  std::string query;   ///< raw, without '?'; `has_query` tells "/x?" from "/x"
  bool has_query = false;
  Headers headers;
  std::string body;
  std::string client_address;  ///< IP address of the peer, or as told by a trusted proxy
  bool secure = false;         ///< came over TLS, here or at a proxy
  std::vector<std::pair<std::string, std::string>> path_parameters;  ///< set by the router: {"token", "…"}

  std::string_view path_parameter(std::string_view name) const;
};

struct Response {
  int status = 200;
  Headers headers;  ///< Content-Length, Date, Connection and the security headers are added by the server
  std::string body;
  bool close = false;  ///< close the connection afterwards
};

using Handler = std::function<Response(const Request&)>;

/// Gives a request its answer. Called once, by any thread; one that is dropped answers 500.
using Respond = std::move_only_function<void(const Response&)>;

/// A handler that may answer later, holding no thread meanwhile. The request lives until it is answered.
using LateHandler = std::function<void(const Request&, Respond)>;

/// A response with a Content-Type.
Response make_response(int status, std::string_view content_type, std::string body);

}  // namespace invited::http
