// What a request must look like before anybody acts on it: RFC 9112 without its tolerances, because a message that two
// programs can read in two ways is how requests are smuggled. Works on raw bytes (HeadScanner) and on fields
// (FieldPolicy, check_route); knows no socket. The parser behind it is Beast's, which lets through what is refused
// here. Values, one for each request; not shared between threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "http/limits.h"
#include "http/router.h"

namespace invited::http {

/// The answer to a request that is not carried out. `reason` is constant text, for people.
struct Refusal {
  int status;
  std::string_view reason;
};

/// Finds the end of a request's head, and everything in it that breaks the grammar or a size limit, as early as the
/// bytes show it: a client that does not speak HTTP is told so at its first line, not at a deadline.
class HeadScanner {
 public:
  /// `limits` must live as long.
  explicit HeadScanner(const Limits& limits) : limits_(&limits) {}
  explicit HeadScanner(Limits&&) = delete;

  enum class State { need_more, complete, refused };

  /// `bytes` is the message from its start, longer with each call.
  State scan(std::string_view bytes);

  /// After `complete`: bytes of the head, its last empty line included, and of the empty line before it.
  std::size_t size() const { return line_start_; }
  std::size_t prefix() const { return prefix_; }
  /// After `refused`.
  const Refusal& refusal() const { return *refusal_; }
  /// The request target, as sent; empty until the request line was read. Also where that was refused, as far as it can
  /// be told.
  std::string_view target(std::string_view bytes) const { return bytes.substr(target_start_, target_size_); }

 private:
  std::optional<Refusal> check_line(std::string_view line);
  std::optional<Refusal> check_request_line(std::string_view line);
  void note_target(std::string_view line);
  std::optional<Refusal> check_unfinished_line(std::string_view line) const;

  const Limits* limits_;
  std::size_t prefix_ = 0;
  std::size_t line_start_ = 0;
  std::size_t searched_ = 0;
  std::size_t lines_ = 0;  ///< complete ones, the request line included
  std::size_t target_start_ = 0;
  std::size_t target_size_ = 0;
  std::optional<Refusal> refusal_;
};

/// What the header fields say together about where the message ends and what it is.
class FieldPolicy {
 public:
  /// Call for each field, in order, with the value trimmed.
  std::optional<Refusal> add(std::string_view name, std::string_view value);
  /// Call after the last one. `version` is 10 or 11.
  std::optional<Refusal> finish(std::string_view method, int version) const;

  std::optional<std::uint64_t> content_length() const { return content_length_; }
  bool chunked() const { return chunked_; }
  bool has_body() const { return chunked_ || content_length_.value_or(0) > 0; }
  /// The client waits for "100 Continue" before it sends the body.
  bool expects_continue() const { return expects_continue_; }

  /// Why the route cannot take this request, before its body is read: 417, 415, 413.
  std::optional<Refusal> check_route(const Route& route, const Limits& limits) const;

 private:
  std::optional<std::uint64_t> content_length_;
  bool chunked_ = false;
  bool has_host_ = false;
  bool has_content_type_ = false;
  bool expects_continue_ = false;
  bool expects_unknown_ = false;
  bool content_coded_ = false;
  bool charset_unknown_ = false;
  std::string_view media_type_;  ///< a view of what `add` was given
};

/// The default reason phrase: "Not Found".
std::string_view reason_phrase(int status);

}  // namespace invited::http
