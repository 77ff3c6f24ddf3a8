// Takes typed members out of a JSON object and collects what is wrong with it instead of stopping at the first. The
// issues are neutral: each dialect puts them into its own words. Not thread-safe; the JSON must outlive the reader.
//
//   FieldIssues issues;
//   ObjectReader body(json, issues);
//   input.email = body.required<std::string>("email");
//   input.roles = body.nullable<std::vector<std::string>>("roles");
//   body.refuse_others();
//   if (!issues.empty()) …
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/api/strict_json.h"

namespace invited::http {

/// A type as JSON Schema names it: "null", "boolean", "integer", "number", "string", "array", "object".
std::string_view json_type_name(const Json& value);

struct FieldIssue {
  enum class Kind {
    missing,     ///< a required member is absent
    null,        ///< null where a value is required
    wrong_type,  ///< `expected`, but `got`
    unknown,     ///< members that nobody reads: `names`
  };
  Kind kind;
  std::vector<std::string> path;   ///< of the member, or of the object with unknown members: {"emails", "0"}
  std::string_view expected;       ///< with all but unknown: "string"
  Json got;                        ///< with null and wrong_type: the value
  std::vector<std::string> names;  ///< with unknown, in their order

  /// "emails.0"; empty for the body itself.
  std::string dotted_path(std::string_view separator = ".") const;
};

using FieldIssues = std::vector<FieldIssue>;

/// One plain sentence for people, for dialects without words of their own: "\"email\" is missing."
std::string describe(const FieldIssue& issue);

class ObjectReader {
 public:
  /// Where `value` is no object that is an issue; then every member counts as read and absent, without further issues.
  ObjectReader(const Json& value, FieldIssues& issues, std::vector<std::string> path = {});
  ObjectReader(Json&&, FieldIssues&, std::vector<std::string> = {}) = delete;

  // T: std::string, bool, std::int64_t, double, std::vector<std::string>, Json (an object).

  /// An issue where it is absent, null or of another type; then the result is empty, false or 0.
  template <class T>
  T required(std::string_view name);
  /// May be absent; null is an issue.
  template <class T>
  std::optional<T> optional(std::string_view name);
  /// May be absent or null, which are the same.
  template <class T>
  std::optional<T> nullable(std::string_view name);

  /// The member as it is, for what none of these describe; counts as read. Null pointer: absent.
  const Json* raw(std::string_view name);

  /// An issue that names the members that were not asked for. Call last; not called: they are ignored.
  void refuse_others();

 private:
  template <class T>
  std::optional<T> take(std::string_view name, const Json& value);
  std::vector<std::string> path_of(std::string_view name) const;

  const Json* object_ = nullptr;  ///< null: the value was none
  FieldIssues& issues_;
  std::vector<std::string> path_;
  std::vector<std::string> read_;
};

}  // namespace invited::http
