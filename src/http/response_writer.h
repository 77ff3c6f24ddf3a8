// From a Response to bytes: status line, Date, length, connection, and the security headers that every answer carries,
// errors too. Knows no socket. Thread-safe.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "http/message.h"
#include "http/router.h"

namespace invited::http {

/// The defaults: a handler that sets one of these itself keeps its own. `secure` adds Strict-Transport-Security.
const HeaderList& security_headers(bool secure);

struct WriteOptions {
  bool keep_alive = true;
  bool to_http_1_0 = false;
  bool head = false;  ///< leave the body out, keep its length
  bool secure = false;
  const HeaderList* extra_headers = nullptr;  ///< for every answer; may be null
  const HeaderList* path_headers = nullptr;   ///< for every answer of this path; may be null
};

/// What Retry-After says with a 503 of the listener.
inline constexpr std::chrono::seconds kBusyFor{1};

/// A header that holds a line end or another control character is left out and logged, whoever set it.
std::string serialize(const Response& response, const WriteOptions& options);

/// An error of the listener: by the path's renderer, or a line of plain text. Never throws. `request`: as far as it was
/// read.
Response render_error(const ErrorRenderer* renderer, int status, std::string_view reason, const Request& request = {});

}  // namespace invited::http
