// Makes one call to an app over HTTP (libcurl) and says what came of it. http and https only, TLS 1.2 or newer with the
// certificate checked; no redirects, no proxies, no cookies, no credentials; everything is bounded: time, and what an
// app may answer. Each call has a connection of its own. An object belongs to one thread; only `interrupt` may be
// called from another.
#pragma once

#include <atomic>
#include <cstddef>
#include <string>

#include "domain/refresh_call.h"
#include "refresh/refresh_message.h"
#include "refresh/settings.h"

namespace invited::refresh {

/// Most bytes of an answer, headers included.
inline constexpr std::size_t kMaxAnswer = 64 * 1024;

struct CallEnd {
  enum class How {
    answered,
    no_answer,    ///< not reached, not trusted, broken off, too slow or too long
    interrupted,  ///< by us: it says nothing of the app
  };
  How how = How::no_answer;
  domain::RefreshResult result;
};

class RefreshCaller {
 public:
  explicit RefreshCaller(const Settings& settings);

  /// Blocks for at most Settings::timeout. Does not throw but std::bad_alloc.
  CallEnd call(const std::string& url, const RefreshMessage& message);

  /// From any thread: a call under way ends within a second or so, and so does every later one.
  void interrupt() { interrupted_ = true; }

 private:
  const Settings settings_;
  std::atomic<bool> interrupted_{false};
};

}  // namespace invited::refresh
