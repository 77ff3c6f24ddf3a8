// A request's body as JSON, read in one way only: RFC 8259 without its freedoms. Refuses a byte order mark, bytes that
// are not UTF-8, NUL, names that come twice, numbers that no 64-bit number or double can hold, more than 64 KiB, 16
// levels or 4,096 values, anything behind the value. Knows no dialect. Thread-safe; no body costs 5 ms.
#pragma once

#include <cstddef>
#include <expected>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace invited::http {

/// Members keep their order.
using Json = nlohmann::ordered_json;

inline constexpr std::size_t kMaxJsonBody = 64 * 1024;
/// Arrays and objects inside each other.
inline constexpr std::size_t kMaxJsonDepth = 16;
/// Of every kind, arrays and objects counted too: each is an allocation.
inline constexpr std::size_t kMaxJsonValues = 4096;

/// Why a text is not taken, and where.
struct JsonProblem {
  std::string message;     ///< a sentence for people; repeats nothing of the text
  std::string pointer;     ///< RFC 6901, of the value or member being read: "/emails/0"; "" is the value as a whole
  std::size_t offset = 0;  ///< bytes; where it was noticed, which is at or just behind the culprit

  /// With the place: "A name comes twice in one object (at /a/b, byte 17)."
  std::string to_string() const;
};

/// An empty text is a problem too: whoever takes a call without a body asks for that first.
std::expected<Json, JsonProblem> parse_json(std::string_view text);

}  // namespace invited::http
