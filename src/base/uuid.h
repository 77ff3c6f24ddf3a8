// A UUID (RFC 9562) as 16 bytes: parsing with the tolerance that the contract asks for, the canonical
// text, and new ones. Identity only: nothing may rely on the time inside a version 7. A value; thread-safe.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace invited::base {

class Uuid {
 public:
  /// The nil UUID.
  Uuid() = default;

  /// Accepts any letter case, one pair of braces, and blanks, tabs and line ends around (soap-contract, X50).
  static std::optional<Uuid> parse(std::string_view text);
  /// From exactly 16 bytes.
  static std::optional<Uuid> from_bytes(std::string_view bytes);
  /// Random (version 4): for what must not be guessed or ordered (environments, roles).
  static Uuid random();
  /// Ordered by time (version 7) and, within a process and a millisecond, by the order of the calls: for rows, so that
  /// indexes grow at their end and listings have an order.
  static Uuid ordered(Timestamp now);

  /// 36 characters, lower case.
  std::string to_string() const;
  /// The 16 bytes.
  std::string to_bytes() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }
  bool is_nil() const { return *this == Uuid{}; }

  /// For hash tables.
  std::size_t hash() const noexcept {
    std::array<std::size_t, sizeof(bytes_) / sizeof(std::size_t)> words{};
    std::memcpy(words.data(), bytes_.data(), sizeof(bytes_));
    std::size_t mixed = 0;
    for (const std::size_t word : words) mixed = (mixed ^ word) * 0x9e3779b97f4a7c15ULL;
    return mixed;
  }

  auto operator<=>(const Uuid&) const = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

}  // namespace invited::base

template <>
struct std::hash<invited::base::Uuid> {
  std::size_t operator()(const invited::base::Uuid& uuid) const noexcept { return uuid.hash(); }
};
