// The mark that some programs write before UTF-8 text. Thread-safe.
#pragma once

#include <string_view>

namespace invited::base {

constexpr std::string_view without_byte_order_mark(std::string_view text) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  return text;
}

}  // namespace invited::base
