#include "base/text_width.h"

#include <uniwidth.h>

#include <cstdint>

namespace invited::base {

std::size_t count_columns(std::string_view text) {
  const auto* units = reinterpret_cast<const std::uint8_t*>(text.data());
  const int columns = u8_width(units, text.size(), "UTF-8");
  return columns < 0 ? 0 : static_cast<std::size_t>(columns);
}

}  // namespace invited::base
