#include "http/form.h"

#include <algorithm>

#include "base/content_type.h"
#include "base/secret.h"
#include "http/percent_encoding.h"

namespace invited::http {
namespace {

constexpr std::size_t kMaxFields = 16;

bool is_form(const Request& request) {
  const auto type = base::parse_content_type(request.headers.get("Content-Type"));
  return equals_ignoring_case(type.media_type, "application/x-www-form-urlencoded");
}

}  // namespace

Form::~Form() {
  for (auto& [name, value] : fields_) base::wipe(value);
}

std::string_view Form::get(std::string_view name) const {
  for (const auto& [field, value] : fields_)
    if (field == name) return value;
  return {};
}

std::optional<Form> parse_form(const Request& request, std::size_t max_body) {
  if (!is_form(request) || request.body.size() > max_body) return std::nullopt;
  Form form;
  form.fields_.reserve(kMaxFields);  // no moves: they would leave copies of short values behind
  std::string_view rest = request.body;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (pair.empty()) continue;
    if (form.fields_.size() == kMaxFields) return std::nullopt;
    auto& [name, value] = form.fields_.emplace_back();
    const auto equals = std::min(pair.find('='), pair.size());
    if (!decode_form_text(pair.substr(0, equals), name)) return std::nullopt;
    if (!decode_form_text(pair.substr(std::min(equals + 1, pair.size())), value)) return std::nullopt;
    const auto twice = std::count_if(form.fields_.begin(), form.fields_.end(),
                                     [&n = name](const auto& field) { return field.first == n; });
    if (twice > 1) return std::nullopt;
  }
  return form;
}

}  // namespace invited::http
