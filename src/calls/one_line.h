// A stranger's text, made fit for logs and listings. Pure function; thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace invited::calls {

/// One line of at most 300 code points: without hidden characters, in valid UTF-8.
std::string one_line(std::string_view text);

}  // namespace invited::calls
