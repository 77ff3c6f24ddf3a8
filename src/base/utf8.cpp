#include "base/utf8.h"

#include <unicase.h>
#include <unictype.h>
#include <unigbrk.h>
#include <uninorm.h>
#include <unistr.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

namespace invited::base {
namespace {

const std::uint8_t* units(std::string_view text) { return reinterpret_cast<const std::uint8_t*>(text.data()); }

struct Free {
  void operator()(std::uint8_t* p) const { std::free(p); }
};

/// Takes ownership of what libunistring allocated.
std::string adopt(std::uint8_t* result, std::size_t length) {
  const std::unique_ptr<std::uint8_t, Free> owner(result);
  if (result == nullptr) throw std::bad_alloc();
  return {reinterpret_cast<const char*>(result), length};
}

/// How many bytes at the beginning are ASCII for certain: by words, as nearly all text is.
std::size_t ascii_size(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  std::size_t size = 0;
  for (std::uint64_t word = 0; text.size() - size >= sizeof word; size += sizeof word) {
    std::memcpy(&word, text.data() + size, sizeof word);
    if ((word & kHighBits) != 0) break;
  }
  return size;
}

constexpr ucs4_t kNonJoiner = 0x200C;
constexpr ucs4_t kJoiner = 0x200D;
/// Letters and marks by their category, of which nothing is ever seen: Hangul fillers, Khmer inherent vowels.
constexpr std::array<ucs4_t, 6> kBlankLetters{0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0};

/// The last code point of `text`, which is taken off; 0 where there is none.
ucs4_t take_last(std::string_view& text) {
  ucs4_t c = 0;
  const std::uint8_t* begin = u8_prev(&c, units(text) + text.size(), units(text));
  if (begin == nullptr) return 0;
  text = text.substr(0, static_cast<std::size_t>(begin - units(text)));
  return c;
}

ucs4_t take_first(std::string_view& text) {
  if (text.empty()) return 0;
  ucs4_t c = 0;
  text.remove_prefix(static_cast<std::size_t>(u8_mbtouc(&c, units(text), text.size())));
  return c;
}

bool is_virama(ucs4_t c) { return uc_combining_class(c) == UC_CCC_VR; }

/// Whether a joiner between `before` and `after` does what it is for. Anywhere else nobody sees it, and two names that
/// look alike would differ.
bool changes_the_writing(ucs4_t joiner, std::string_view before, std::string_view after) {
  ucs4_t previous = take_last(before);
  ucs4_t next = take_first(after);
  if (is_virama(previous)) return true;
  // Not in the RFC: Bengali ya-phalaa after ra is written so.
  if (joiner == kJoiner) return is_virama(next) && uc_is_general_category_withtable(previous, UC_CATEGORY_MASK_L);
  while (previous != 0 && uc_joining_type(previous) == UC_JOINING_TYPE_T) previous = take_last(before);
  while (next != 0 && uc_joining_type(next) == UC_JOINING_TYPE_T) next = take_first(after);
  const auto joins_to_the_left = [](int type) { return type == UC_JOINING_TYPE_L || type == UC_JOINING_TYPE_D; };
  const auto joins_to_the_right = [](int type) { return type == UC_JOINING_TYPE_R || type == UC_JOINING_TYPE_D; };
  return previous != 0 && next != 0 && joins_to_the_left(uc_joining_type(previous)) &&
         joins_to_the_right(uc_joining_type(next));
}

}  // namespace

bool is_valid_utf8(std::string_view text) {
  text.remove_prefix(ascii_size(text));
  return text.empty() || u8_check(units(text), text.size()) == nullptr;
}

std::size_t valid_utf8_size(std::string_view text) {
  const std::uint8_t* bad = u8_check(units(text), text.size());
  return bad == nullptr ? text.size() : static_cast<std::size_t>(bad - units(text));
}

std::size_t count_code_points(std::string_view text) { return u8_mbsnlen(units(text), text.size()); }

std::string to_nfc(std::string_view text) {
  if (text.empty()) return {};
  std::size_t length = 0;
  std::uint8_t* result = u8_normalize(UNINORM_NFC, units(text), text.size(), nullptr, &length);
  return adopt(result, length);
}

std::string fold_case(std::string_view text) {
  if (text.empty()) return {};
  std::size_t length = 0;
  std::uint8_t* result = u8_casefold(units(text), text.size(), nullptr, UNINORM_NFC, nullptr, &length);
  return adopt(result, length);
}

bool is_hidden_at(std::string_view text, std::size_t at) {
  ucs4_t c = 0;
  const int size = u8_mbtouc(&c, units(text) + at, text.size() - at);
  if (c == kNonJoiner || c == kJoiner)
    return !changes_the_writing(c, text.substr(0, at), text.substr(at + static_cast<std::size_t>(size)));
  if (std::ranges::find(kBlankLetters, c) != kBlankLetters.end()) return true;
  return uc_is_general_category_withtable(c, UC_CATEGORY_MASK_Cc | UC_CATEGORY_MASK_Cf | UC_CATEGORY_MASK_Cs |
                                                 UC_CATEGORY_MASK_Co | UC_CATEGORY_MASK_Cn | UC_CATEGORY_MASK_Zl |
                                                 UC_CATEGORY_MASK_Zp);
}

bool has_hidden_characters(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    if (is_hidden_at(text, at)) return true;
    at += static_cast<std::size_t>(u8_mblen(units(text) + at, text.size() - at));
  }
  return false;
}

std::u32string to_code_points(std::string_view text) {
  std::u32string points;
  points.reserve(text.size());
  while (!text.empty()) {
    ucs4_t c = 0;
    const int size = u8_mbtouc(&c, units(text), text.size());
    points += static_cast<char32_t>(c);
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  return points;
}

std::string truncate_code_points(std::string_view text, std::size_t limit) {
  const std::uint8_t* position = units(text);
  std::size_t left = text.size();
  while (left > 0 && limit > 0) {
    ucs4_t c = 0;
    const auto size = static_cast<std::size_t>(u8_mbtouc(&c, position, left));
    position += size;
    left -= size;
    --limit;
  }
  return std::string(text.substr(0, text.size() - left));
}

std::string truncate_characters(std::string_view text, std::size_t limit) {
  std::string cut = truncate_code_points(text, limit);
  if (cut.size() == text.size()) return cut;
  // Of the whole text: whether one ends at the cut depends on what comes behind it. (u8_grapheme_next looks at pairs
  // only, and takes flags and families apart.)
  std::vector<char> breaks(text.size());
  u8_grapheme_breaks(units(text), text.size(), breaks.data());
  std::size_t end = cut.size();
  while (end > 0 && breaks[end] == 0) --end;
  if (end > 0) cut.resize(end);
  return cut;
}

std::string_view trim(std::string_view text) {
  while (!text.empty()) {
    ucs4_t c = 0;
    const int size = u8_mbtouc(&c, units(text), text.size());
    if (!uc_is_property_white_space(c)) break;
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  while (!text.empty()) {
    ucs4_t c = 0;
    const std::uint8_t* previous = u8_prev(&c, units(text) + text.size(), units(text));
    if (previous == nullptr || !uc_is_property_white_space(c)) break;
    text = text.substr(0, static_cast<std::size_t>(previous - units(text)));
  }
  return text;
}

}  // namespace invited::base
