// From bytes to a Request: HeadScanner and FieldPolicy first, Boost.Beast's parser behind them for the fields and the
// body (Content-Length or chunked). Incremental, for one request; knows no socket and no time. Not thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "http/limits.h"
#include "http/message.h"
#include "http/request_policy.h"

namespace invited::http {

class RequestReader {
 public:
  explicit RequestReader(const Limits& limits);
  ~RequestReader();

  enum class State {
    head,      ///< the head is not whole yet
    decide,    ///< the head is whole: look at it, then call read_body() or give up
    body,      ///< the body is not whole yet
    complete,  ///< `request()` is whole
    refused,   ///< see `refusal()`; where the message ends is unknown
  };
  State state() const { return state_; }

  /// Takes what it can use of `bytes` and says how many that were. The caller keeps the others and gives them again,
  /// with more behind them. Bytes behind a whole request are not taken.
  std::size_t feed(std::string_view bytes);

  /// After `decide`: go on, with a body of `max_size` bytes at most.
  void read_body(std::size_t max_size);

  Request& request() { return request_; }
  const Refusal& refusal() const { return *refusal_; }
  /// The target as sent, so far as it is known.
  std::string_view target() const { return target_; }
  /// Valid only within `decide`, while the bytes last given to feed() are alive.
  const FieldPolicy& fields() const { return fields_; }
  int version() const { return version_; }  ///< 10 or 11
  bool keep_alive() const { return keep_alive_; }

 private:
  class Parser;

  std::size_t feed_head(std::string_view bytes);
  std::size_t feed_body(std::string_view bytes);
  void refuse(Refusal refusal);

  const Limits* limits_;
  State state_ = State::head;
  HeadScanner scanner_;
  FieldPolicy fields_;
  std::unique_ptr<Parser> parser_;
  Request request_;
  std::string target_;
  std::optional<Refusal> refusal_;
  int version_ = 11;
  bool keep_alive_ = false;
};

}  // namespace invited::http
