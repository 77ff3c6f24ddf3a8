#include "http/message.h"

#include <algorithm>
#include <utility>

namespace invited::http {

void Headers::set(std::string_view name, std::string_view value) {
  std::erase_if(fields_, [&](const auto& field) { return equals_ignoring_case(field.first, name); });
  add(name, value);
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const auto& [key, value] : fields_) {
    if (equals_ignoring_case(key, name)) return value;
  }
  return std::nullopt;
}

std::size_t Headers::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(fields_, [&](const auto& field) { return equals_ignoring_case(field.first, name); }));
}

std::string Headers::lines(std::string_view name) const {
  std::string all;
  bool is_first = true;
  for (const auto& [key, value] : fields_) {
    if (!equals_ignoring_case(key, name)) continue;
    if (!std::exchange(is_first, false)) all += '\n';
    all += value;
  }
  return all;
}

std::string_view Request::path_parameter(std::string_view name) const {
  for (const auto& [key, value] : path_parameters) {
    if (key == name) return value;
  }
  return {};
}

Response make_response(int status, std::string_view content_type, std::string body) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", content_type);
  response.body = std::move(body);
  return response;
}

}  // namespace invited::http
