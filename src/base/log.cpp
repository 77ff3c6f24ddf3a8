#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <cstdio>
#include <memory>

#include "base/utf8.h"

namespace invited::base::log {
namespace {

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto created = std::make_shared<spdlog::logger>("invited", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    created->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    created->flush_on(spdlog::level::debug);
    return created;
  }();
  return *instance;
}

/// Bare where that is unambiguous, else in quotes. What could break, hide or reorder the line is escaped, byte by byte,
/// and so is what is no UTF-8: journald shows a line that holds such bytes as a blob only.
void append_value(std::string& line, std::string_view value) {
  const bool bare = !value.empty() &&
                    value.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/@+,") ==
                        std::string_view::npos;
  if (bare) {
    line += value;
    return;
  }
  line += '"';
  const bool is_text = is_valid_utf8(value);
  bool hidden = !is_text;  // what the byte that is not ASCII is part of
  for (std::size_t at = 0; at < value.size(); ++at) {
    const char c = value[at];
    const auto byte = static_cast<unsigned char>(c);
    if (is_text && byte >= 0xc0) hidden = is_hidden_at(value, at);
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && hidden)) {
      std::array<char, 8> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\x%02x", byte);
      line += escaped.data();
    } else {
      line += c;
    }
  }
  line += '"';
}

void write(spdlog::level::level_enum level, std::string_view event, std::initializer_list<Field> fields) {
  if (!logger().should_log(level)) return;
  std::string line(event);
  for (const Field& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    append_value(line, field.value);
  }
  logger().log(level, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace

void set_level(Level level) {
  switch (level) {
    case Level::debug:
      logger().set_level(spdlog::level::debug);
      break;
    case Level::info:
      logger().set_level(spdlog::level::info);
      break;
    case Level::warning:
      logger().set_level(spdlog::level::warn);
      break;
    case Level::error:
      logger().set_level(spdlog::level::err);
      break;
    case Level::off:
      logger().set_level(spdlog::level::off);
      break;
  }
}

bool enabled(Level level) {
  switch (level) {
    case Level::debug:
      return logger().should_log(spdlog::level::debug);
    case Level::info:
      return logger().should_log(spdlog::level::info);
    case Level::warning:
      return logger().should_log(spdlog::level::warn);
    case Level::error:
      return logger().should_log(spdlog::level::err);
    case Level::off:
      return false;
  }
  return false;
}

bool parse_level(std::string_view name, Level& level) {
  using Entry = std::pair<std::string_view, Level>;
  static constexpr std::array kNames{Entry{"debug", Level::debug}, Entry{"info", Level::info},
                                     Entry{"warning", Level::warning}, Entry{"error", Level::error},
                                     Entry{"off", Level::off}};
  for (const auto& [known, value] : kNames) {
    if (known == name) {
      level = value;
      return true;
    }
  }
  return false;
}

void debug(std::string_view event, std::initializer_list<Field> fields) { write(spdlog::level::debug, event, fields); }
void info(std::string_view event, std::initializer_list<Field> fields) { write(spdlog::level::info, event, fields); }
void warning(std::string_view event, std::initializer_list<Field> fields) { write(spdlog::level::warn, event, fields); }
void error(std::string_view event, std::initializer_list<Field> fields) { write(spdlog::level::err, event, fields); }

}  // namespace invited::base::log
