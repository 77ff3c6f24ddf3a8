// What holds of each byte, looked up: every byte of every call is asked several questions. A value; made at compile
// time.
#pragma once

#include <array>
#include <cstdint>

namespace invited::soap {

using ByteSet = std::array<bool, 256>;

/// `holds` is asked of 0 to 255.
template <class Holds>
constexpr ByteSet make_byte_set(Holds holds) {
  ByteSet set{};
  for (std::uint32_t byte = 0; byte < set.size(); ++byte) set[byte] = holds(byte);
  return set;
}

constexpr bool has(const ByteSet& set, char c) { return set[static_cast<unsigned char>(c)]; }

}  // namespace invited::soap
