#include "config_file.h"

#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>
#include <system_error>

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace invited {
namespace {

std::unexpected<std::string> complain(std::string complaint) { return std::unexpected(std::move(complaint)); }

std::expected<std::string, std::string> text_of(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* flag = node.as_boolean()) return std::string(flag->get() ? "true" : "false");
  if (const auto* list = node.as_array()) {
    std::string joined;
    for (const toml::node& item : *list) {
      if (!item.is_string()) return complain("must be a list of texts");
      if (!joined.empty()) joined += ',';
      joined += item.as_string()->get();
    }
    return joined;
  }
  return complain("must be a text, a whole number, true or false, or a list of texts");
}

std::expected<void, std::string> flatten(const toml::table& table, const std::string& prefix,
                                         std::vector<FileEntry>& entries) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(name.str());
    if (const auto* section = node.as_table()) {
      if (auto done = flatten(*section, key + ".", entries); !done) return done;
      // A section that holds nothing is kept, so that a misspelt one does not pass in silence.
      if (section->empty()) entries.push_back({key + ".", "", section->source().begin.line});
      continue;
    }
    const unsigned line = node.source().begin.line;
    auto text = text_of(node);
    if (!text) return complain("line " + std::to_string(line) + ": " + key + " " + text.error());
    entries.push_back({key, std::move(*text), line});
  }
  return {};
}

/// What a parser says of `from = me@example.org` ("expected 'inf'") helps nobody.
bool is_text_without_quotes(const std::string& content, unsigned line) {
  std::istringstream lines(content);
  std::string text;
  while (line-- > 0 && std::getline(lines, text)) continue;
  const auto equals = text.find('=');
  const auto begin = equals == std::string::npos ? equals : text.find_first_not_of(" \t", equals + 1);
  if (begin == std::string::npos || std::string_view("\"'[{#\r").contains(text[begin])) return false;
  return text.find_first_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ@:/", begin) != std::string::npos;
}

}  // namespace

std::expected<std::vector<FileEntry>, std::string> read_config_file(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error))
    return complain(
        error ? "cannot be read: " + error.message() +
                    ": run this as the service's user or as root; that user must be allowed to enter its folder"
              : "there is no such file");
  if (!std::filesystem::is_regular_file(path, error)) return complain("is not a file");
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return complain("cannot be read: check its permissions");
  const std::string content{std::istreambuf_iterator<char>(stream), {}};
  const toml::parse_result parsed = toml::parse(content);
  if (!parsed) {
    const auto& where = parsed.error().source().begin;
    return complain("line " + std::to_string(where.line) + ", column " + std::to_string(where.column) + ": " +
                    std::string(parsed.error().description()) +
                    (is_text_without_quotes(content, where.line) ? " (a text stands in quotes, like \"this\")" : ""));
  }
  std::vector<FileEntry> entries;
  if (auto done = flatten(parsed.table(), "", entries); !done) return complain(done.error());
  return entries;
}

}  // namespace invited
