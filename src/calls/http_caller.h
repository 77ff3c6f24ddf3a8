// Makes one POST over HTTP (libcurl) and says what came of it. http and https only, TLS 1.2 or newer with the
// certificate checked; no redirects, no proxies, no cookies, no credentials; everything is bounded: time, and what may
// be answered. Where private addresses are refused, it is the address that is connected to that counts, whatever a name
// server said before. Each call has a connection of its own. An object belongs to one thread; only `interrupt` may be
// called from another.
#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <vector>

#include "calls/settings.h"

namespace invited::calls {

/// Most bytes of an answer, headers included. What is longer is cut, unless it is the headers.
inline constexpr std::size_t kMaxAnswer = 64 * 1024;

struct HttpRequest {
  std::string url;
  std::vector<std::string> headers;  ///< "Name: value"
  std::string body;
};

struct HttpAnswer {
  enum class How {
    answered,
    no_answer,    ///< not reached, not trusted, broken off, too slow, or headers too long
    interrupted,  ///< by us: it says nothing of the other side
  };
  How how = How::no_answer;
  int status = 0;  ///< 0 where there was none
  std::string body;
  std::string explanation;  ///< why there is no answer; one line
  bool is_cut = false;      ///< `body` is only the beginning
};

class HttpCaller {
 public:
  explicit HttpCaller(const Settings& settings);

  /// Blocks for at most Settings::timeout. Does not throw but std::bad_alloc.
  HttpAnswer post(const HttpRequest& request);

  /// From any thread: a call under way ends within a second or so, and so does every later one.
  void interrupt() { interrupted_ = true; }

 private:
  const Settings settings_;
  std::atomic<bool> interrupted_{false};
};

}  // namespace invited::calls
