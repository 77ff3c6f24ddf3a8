// Prints for people: listings as aligned columns, one thing as aligned lines. Whatever comes from outside is made
// harmless for a terminal first. Pure functions; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace invited::cli {

/// Columns as wide as their widest cell, two blanks apart; the last one is not padded. `header` may be empty.
std::string format_table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows);

/// "  name       value" lines.
std::string format_lines(const std::vector<std::pair<std::string, std::string>>& lines);

/// Control characters, which could steer a terminal, become '?'.
std::string printable(std::string_view text);

}  // namespace invited::cli
