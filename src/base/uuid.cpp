#include "base/uuid.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>

#include "base/ascii.h"
#include "base/crypto.h"

namespace invited::base {
namespace {

constexpr std::size_t kTextLength = 36;

constexpr std::array<std::size_t, 4> kHyphens{8, 13, 18, 23};
// Where the two digits of each byte begin.
constexpr std::array<std::size_t, 16> kDigitsAt{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};

constexpr std::string_view kDigits = "0123456789abcdef";
/// The two digits of each byte, one after the other.
constexpr std::array<char, 512> kDigitPairs = [] {
  std::array<char, 512> pairs{};
  for (std::size_t byte = 0; byte < 256; ++byte) {
    pairs[2 * byte] = kDigits[byte >> 4];
    pairs[2 * byte + 1] = kDigits[byte & 0x0f];
  }
  return pairs;
}();
constexpr std::uint8_t kNoDigit = 0xff;
constexpr std::array<std::uint8_t, 256> kDigitValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (std::uint8_t value = 0; value < 16; ++value) {
    const char digit = kDigits[value];
    values[static_cast<unsigned char>(digit)] = value;
    if (value > 9) values[static_cast<unsigned char>(digit - 'a' + 'A')] = value;
  }
  return values;
}();

/// 16 random bytes out of a small stock of the thread's own: one system call for many identifiers. Not for secrets,
/// which must not lie about in memory (crypto.h).
std::string_view random_16() {
  constexpr std::size_t kSize = 16;
  thread_local std::string stock;
  thread_local std::size_t used = 0;
  if (used + kSize > stock.size()) {
    stock = random_bytes(64 * kSize);
    used = 0;
  }
  used += kSize;
  return std::string_view(stock).substr(used - kSize, kSize);
}

/// 18 bits that grow from call to call with the same `milliseconds`.
std::uint32_t next_counter(std::uint64_t milliseconds, std::uint32_t random) {
  constexpr std::uint64_t kBits = 18;
  constexpr std::uint64_t kMask = (1U << kBits) - 1;
  static std::atomic<std::uint64_t> last{0};  // the milliseconds' low bits, and the counter
  std::uint64_t seen = last.load(std::memory_order_relaxed);
  std::uint64_t next = 0;
  do {
    const bool is_same = seen >> kBits == (milliseconds << kBits) >> kBits && (seen & kMask) < kMask;
    next = is_same ? seen + 1 : milliseconds << kBits | (random & 0x7fff);
  } while (!last.compare_exchange_weak(seen, next, std::memory_order_relaxed));
  return static_cast<std::uint32_t>(next & kMask);
}

}  // namespace

std::optional<Uuid> Uuid::parse(std::string_view text) {
  text = trim_blanks(text, kXmlBlanks);
  if (text.size() == kTextLength + 2 && text.front() == '{' && text.back() == '}') text = text.substr(1, kTextLength);
  if (text.size() != kTextLength) return std::nullopt;

  for (const std::size_t at : kHyphens)
    if (text[at] != '-') return std::nullopt;
  Uuid uuid;
  for (std::size_t i = 0; i < kDigitsAt.size(); ++i) {
    const std::uint8_t high = kDigitValues[static_cast<unsigned char>(text[kDigitsAt[i]])];
    const std::uint8_t low = kDigitValues[static_cast<unsigned char>(text[kDigitsAt[i] + 1])];
    if (high == kNoDigit || low == kNoDigit) return std::nullopt;
    uuid.bytes_[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return uuid;
}

std::optional<Uuid> Uuid::from_bytes(std::string_view bytes) {
  Uuid uuid;
  if (bytes.size() != uuid.bytes_.size()) return std::nullopt;
  std::memcpy(uuid.bytes_.data(), bytes.data(), bytes.size());
  return uuid;
}

Uuid Uuid::random() {
  Uuid uuid = *from_bytes(random_16());
  uuid.bytes_[6] = static_cast<std::uint8_t>((uuid.bytes_[6] & 0x0f) | 0x40);
  uuid.bytes_[8] = static_cast<std::uint8_t>((uuid.bytes_[8] & 0x3f) | 0x80);
  return uuid;
}

Uuid Uuid::ordered(Timestamp now) {
  Uuid uuid = *from_bytes(random_16());
  auto milliseconds = static_cast<std::uint64_t>(now.time_since_epoch().count());
  for (int i = 5; i >= 0; --i) {
    uuid.bytes_[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(milliseconds & 0xff);
    milliseconds >>= 8;
  }
  // RFC 9562 section 6.2, method 1: 18 bits count within a millisecond, from a random beginning that leaves room.
  const std::uint32_t counter = next_counter(static_cast<std::uint64_t>(now.time_since_epoch().count()),
                                             static_cast<std::uint32_t>(uuid.bytes_[6]) << 8 | uuid.bytes_[7]);
  uuid.bytes_[6] = static_cast<std::uint8_t>(0x70 | counter >> 14);
  uuid.bytes_[7] = static_cast<std::uint8_t>(counter >> 6 & 0xff);
  uuid.bytes_[8] = static_cast<std::uint8_t>(0x80 | (counter & 0x3f));
  return uuid;
}

std::string Uuid::to_string() const {
  std::string text(kTextLength, '-');
  for (std::size_t i = 0; i < kDigitsAt.size(); ++i)
    std::memcpy(&text[kDigitsAt[i]], &kDigitPairs[2 * std::size_t{bytes_[i]}], 2);
  return text;
}

}  // namespace invited::base
