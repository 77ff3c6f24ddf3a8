// The log: one line for an event, `time level event key=value …`, on standard error. Values are quoted and
// escaped, so that nothing from outside can forge a line. Secrets have no overload: a base::Secret cannot be
// logged, and tokens, passwords and bodies must not be passed. Thread-safe; never blocks on the network.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace invited::base::log {

enum class Level { debug, info, warning, error, off };

/// One `key=value` of a line. Keys are snake_case and constant.
struct Field {
  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const std::string& v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(v) {}
  Field(std::string_view k, bool v) : key(k), value(v ? "true" : "false") {}
  template <class Number>
    requires std::is_arithmetic_v<Number>
  Field(std::string_view k, Number v) : key(k), value(std::to_string(v)) {}

  std::string_view key;
  std::string value;
};

/// Lines below `level` are dropped. Default: info.
void set_level(Level level);
/// Whether lines of that level are written: for callers on a hot path, before they put fields together.
bool enabled(Level level);
bool parse_level(std::string_view name, Level& level);

/// `event` names what happened, dotted, from the general to the particular: "invitation.sent".
void debug(std::string_view event, std::initializer_list<Field> fields = {});
void info(std::string_view event, std::initializer_list<Field> fields = {});
void warning(std::string_view event, std::initializer_list<Field> fields = {});
void error(std::string_view event, std::initializer_list<Field> fields = {});

}  // namespace invited::base::log
