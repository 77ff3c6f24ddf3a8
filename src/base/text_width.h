// How wide a text is on a terminal. Pure function; thread-safe.
#pragma once

#include <cstddef>
#include <string_view>

namespace invited::base {

/// In columns: two for each wide character (Chinese, Japanese, Korean, emoji), none for what is put above or below
/// another and for control characters. `text` is UTF-8.
std::size_t count_columns(std::string_view text);

}  // namespace invited::base
