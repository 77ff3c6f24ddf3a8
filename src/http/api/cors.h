// Which pages of other origins may call the JSON front doors from a browser (the Fetch standard's CORS protocol): only
// those that the operator named. Says so in headers, and answers preflights; knows no dialect. Fixed once the server
// has started: thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace invited::http {

class CorsPolicy {
 public:
  CorsPolicy() = default;
  /// Exact origins, "https://app.example.com". None: no page may call.
  explicit CorsPolicy(std::vector<std::string> origins);

  /// For every answer on these paths, errors too. An origin that is not allowed gets nothing that lets it in.
  HeaderList headers(const Request& request) const;

  /// The answer to an OPTIONS request, which has neither body nor credentials: 204. `allow` lists the path's methods.
  Response preflight(const Request& request, std::string_view allow) const;

 private:
  bool allows(const Request& request) const;

  std::vector<std::string> origins_;
};

}  // namespace invited::http
