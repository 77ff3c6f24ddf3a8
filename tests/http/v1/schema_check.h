// Whether a value is as a JSON Schema (2020-12, as far as our OpenAPI document uses it) says. A keyword that is not
// known here is a failure, so that nothing passes because it was not looked at.
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/uuid.h"
#include "http/api/strict_json.h"

namespace invited::http {

class SchemaCheck {
 public:
  explicit SchemaCheck(const Json& document) : document_(document) {}

  const Json& resolve(const Json& value) const {
    const auto reference = value.find("$ref");
    return reference == value.end() ? value : document_.at(Json::json_pointer(reference->get<std::string>().substr(1)));
  }

  /// What does not fit, with its place; empty where all does.
  std::string problem(const Json& value, const Json& schema_or_reference, const std::string& at = "") const {
    const Json& schema = resolve(schema_or_reference);
    static const std::set<std::string> known{"type",     "properties", "required",     "additionalProperties",
                                             "items",    "enum",       "anyOf",        "format",
                                             "minimum",  "maximum",    "description",  "default",
                                             "minItems", "maxItems",   "minProperties"};
    for (const auto& [keyword, unused] : schema.items())
      if (!known.contains(keyword)) return at + ": the keyword " + keyword + " is not known to the test";
    if (schema.contains("anyOf")) {
      const auto fits = [&](const Json& one) { return problem(value, one, at).empty(); };
      return std::ranges::any_of(schema["anyOf"], fits) ? "" : at + ": none of anyOf";
    }
    if (schema.contains("type") && !has_type(value, schema["type"]))
      return at + " is " + value.dump() + ", not of type " + schema["type"].dump();
    if (schema.contains("enum") && std::ranges::find(schema["enum"], value) == schema["enum"].end())
      return at + ": " + value.dump() + " is none of " + schema["enum"].dump();
    if (value.is_string() && !has_format(value.get<std::string>(), schema.value("format", "")))
      return at + ": " + value.dump() + " is no " + schema["format"].dump();
    if (value.is_number() && (value < schema.value("minimum", value) || value > schema.value("maximum", value)))
      return at + ": " + value.dump() + " is too small or too large";
    if (value.is_array()) return problem_of_list(value, schema, at);
    if (value.is_object()) return problem_of_object(value, schema, at);
    return "";
  }

 private:
  std::string problem_of_list(const Json& value, const Json& schema, const std::string& at) const {
    if (value.size() < schema.value("minItems", value.size()) || value.size() > schema.value("maxItems", value.size()))
      return at + " has too few or too many entries";
    for (std::size_t i = 0; i < value.size(); ++i)
      if (auto found = problem(value[i], schema.at("items"), at + '/' + std::to_string(i)); !found.empty())
        return found;
    return "";
  }

  std::string problem_of_object(const Json& value, const Json& schema, const std::string& at) const {
    if (value.size() < schema.value("minProperties", std::size_t{0})) return at + " has too few members";
    for (const Json& name : schema.value("required", Json::array()))
      if (!value.contains(name.get<std::string>())) return at + " has no " + name.dump();
    const Json properties = schema.value("properties", Json::object());
    for (const auto& [name, member] : value.items()) {
      if (!properties.contains(name)) {
        if (schema.value("additionalProperties", true)) continue;
        return at + '/' + name + " is not described";
      }
      if (auto found = problem(member, properties[name], at + '/' + name); !found.empty()) return found;
    }
    return "";
  }

  static bool has_type(const Json& value, const Json& types) {
    if (types.is_array()) return std::ranges::any_of(types, [&](const Json& type) { return has_type(value, type); });
    const std::string type = types;
    if (type == "integer") return value.is_number_integer();
    return type == (value.is_number() ? "number" : value.type_name());
  }

  static bool has_format(const std::string& text, const std::string& format) {
    if (format == "uuid") return base::Uuid::parse(text).has_value();
    if (format == "date-time") return base::parse_rfc3339(text).has_value();
    if (format == "email") return text.find('@') != std::string::npos;
    if (format == "uri") return text.find(':') != std::string::npos;
    return format.empty();
  }

  const Json& document_;
};

}  // namespace invited::http
