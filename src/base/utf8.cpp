#include "base/utf8.h"

#include <unicase.h>
#include <unictype.h>
#include <unigbrk.h>
#include <uninorm.h>
#include <unistr.h>

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

bool has_hidden_characters(std::string_view text) {
  const std::uint8_t* position = units(text);
  std::size_t left = text.size();
  while (left > 0) {
    ucs4_t c = 0;
    const int size = u8_mbtouc(&c, position, left);
    if (uc_is_general_category_withtable(c, UC_CATEGORY_MASK_Cc | UC_CATEGORY_MASK_Cf | UC_CATEGORY_MASK_Cs |
                                                UC_CATEGORY_MASK_Co | UC_CATEGORY_MASK_Cn | UC_CATEGORY_MASK_Zl |
                                                UC_CATEGORY_MASK_Zp))
      return true;
    position += size;
    left -= static_cast<std::size_t>(size);
  }
  return false;
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
