#include "http/api/object_reader.h"

#include <algorithm>
#include <utility>

namespace invited::http {
namespace {

/// How each type is named, recognised and taken.
template <class T>
struct Member;

template <>
struct Member<std::string> {
  static constexpr std::string_view kName = "string";
  static bool fits(const Json& value) { return value.is_string(); }
};
template <>
struct Member<bool> {
  static constexpr std::string_view kName = "boolean";
  static bool fits(const Json& value) { return value.is_boolean(); }
};
template <>
struct Member<std::int64_t> {
  static constexpr std::string_view kName = "integer";
  static bool fits(const Json& value) {
    if (value.is_number_unsigned()) return value.get<std::uint64_t>() <= INT64_MAX;
    return value.is_number_integer();
  }
};
template <>
struct Member<double> {
  static constexpr std::string_view kName = "number";
  static bool fits(const Json& value) { return value.is_number(); }
};
template <>
struct Member<Json> {
  static constexpr std::string_view kName = "object";
  static bool fits(const Json& value) { return value.is_object(); }
};
template <>
struct Member<std::vector<std::string>> {
  static constexpr std::string_view kName = "array";
  static bool fits(const Json& value) { return value.is_array(); }
};

}  // namespace

std::string_view json_type_name(const Json& value) {
  if (value.is_number_integer()) return "integer";
  return value.type_name();
}

std::string FieldIssue::dotted_path(std::string_view separator) const {
  std::string text;
  for (const std::string& segment : path) {
    if (!text.empty()) text += separator;
    text += segment;
  }
  return text;
}

std::string describe(const FieldIssue& issue) {
  const std::string subject = issue.path.empty() ? "The body" : "\"" + issue.dotted_path() + "\"";
  switch (issue.kind) {
    case FieldIssue::Kind::missing:
      return subject + " is missing.";
    case FieldIssue::Kind::null:
      return subject + " must not be null.";
    case FieldIssue::Kind::wrong_type:
      return subject + " must be of type " + std::string(issue.expected) + ", not " +
             std::string(json_type_name(issue.got)) + ".";
    case FieldIssue::Kind::unknown: {
      std::string names;
      for (const std::string& name : issue.names) names += (names.empty() ? "\"" : ", \"") + name + "\"";
      return subject + " has members that are not known here: " + names + ".";
    }
  }
  return {};
}

ObjectReader::ObjectReader(const Json& value, FieldIssues& issues, std::vector<std::string> path)
    : issues_(issues), path_(std::move(path)) {
  if (value.is_object())
    object_ = &value;
  else
    issues_.push_back({FieldIssue::Kind::wrong_type, path_, "object", value, {}});
}

std::vector<std::string> ObjectReader::path_of(std::string_view name) const {
  auto path = path_;
  path.emplace_back(name);
  return path;
}

const Json* ObjectReader::raw(std::string_view name) {
  if (object_ == nullptr) return nullptr;
  read_.emplace_back(name);
  const auto found = object_->find(std::string(name));
  return found == object_->end() ? nullptr : &*found;
}

template <class T>
std::optional<T> ObjectReader::take(std::string_view name, const Json& value) {
  if (!Member<T>::fits(value)) {
    const auto kind = value.is_null() ? FieldIssue::Kind::null : FieldIssue::Kind::wrong_type;
    issues_.push_back({kind, path_of(name), Member<T>::kName, value, {}});
    return std::nullopt;
  }
  if constexpr (std::is_same_v<T, std::vector<std::string>>) {
    std::vector<std::string> items;
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (value[i].is_string()) {
        items.push_back(value[i].get<std::string>());
        continue;
      }
      auto path = path_of(name);
      path.push_back(std::to_string(i));
      const auto kind = value[i].is_null() ? FieldIssue::Kind::null : FieldIssue::Kind::wrong_type;
      issues_.push_back({kind, std::move(path), "string", value[i], {}});
    }
    return items;
  } else {
    return value.get<T>();
  }
}

template <class T>
T ObjectReader::required(std::string_view name) {
  const Json* value = raw(name);
  if (value != nullptr) return take<T>(name, *value).value_or(T{});
  if (object_ != nullptr) issues_.push_back({FieldIssue::Kind::missing, path_of(name), Member<T>::kName, {}, {}});
  return T{};
}

template <class T>
std::optional<T> ObjectReader::optional(std::string_view name) {
  const Json* value = raw(name);
  return value == nullptr ? std::nullopt : take<T>(name, *value);
}

template <class T>
std::optional<T> ObjectReader::nullable(std::string_view name) {
  const Json* value = raw(name);
  return value == nullptr || value->is_null() ? std::nullopt : take<T>(name, *value);
}

void ObjectReader::refuse_others() {
  if (object_ == nullptr) return;
  std::vector<std::string> others;
  for (const auto& [name, value] : object_->items())
    if (std::ranges::find(read_, name) == read_.end()) others.push_back(name);
  if (!others.empty()) issues_.push_back({FieldIssue::Kind::unknown, path_, {}, {}, std::move(others)});
}

#define INVITED_MEMBER(T)                                                \
  template T ObjectReader::required<T>(std::string_view);                \
  template std::optional<T> ObjectReader::optional<T>(std::string_view); \
  template std::optional<T> ObjectReader::nullable<T>(std::string_view);
INVITED_MEMBER(std::string)
INVITED_MEMBER(bool)
INVITED_MEMBER(std::int64_t)
INVITED_MEMBER(double)
INVITED_MEMBER(std::vector<std::string>)
INVITED_MEMBER(Json)
#undef INVITED_MEMBER

}  // namespace invited::http
