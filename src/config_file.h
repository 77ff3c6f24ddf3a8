// Reads a TOML file into a flat list of settings as texts, each with its line. The only includer of toml++. Knows no
// setting: config.cpp does. Not thread-bound.
#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <vector>

namespace invited {

struct FileEntry {
  std::string key;   ///< dotted: "mail.host"
  std::string text;  ///< strings as they are, numbers and booleans as written, lists joined by commas
  unsigned line = 0;
};

/// What cannot be read or is not TOML: a complaint with line and column.
std::expected<std::vector<FileEntry>, std::string> read_config_file(const std::filesystem::path& path);

}  // namespace invited
