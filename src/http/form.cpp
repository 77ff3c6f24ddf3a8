#include "http/form.h"

#include <algorithm>

#include "base/secret.h"
#include "base/utf8.h"

namespace invited::http {
namespace {

constexpr std::size_t kMaxFields = 16;

bool is_form(std::string_view content_type) {
  constexpr std::string_view kForm = "application/x-www-form-urlencoded";
  const std::string_view rest = content_type.substr(std::min(kForm.size(), content_type.size()));
  return equals_ignoring_case(content_type.substr(0, kForm.size()), kForm) &&
         (rest.empty() || rest.front() == ';' || rest.front() == ' ');
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Decodes into `out`; false for what is no text.
bool decode(std::string_view encoded, std::string& out) {
  out.reserve(encoded.size());
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    if (encoded[i] == '+') {
      out += ' ';
    } else if (encoded[i] == '%') {
      if (i + 2 >= encoded.size()) return false;
      const int high = hex_value(encoded[i + 1]);
      const int low = hex_value(encoded[i + 2]);
      if (high < 0 || low < 0) return false;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += encoded[i];
    }
  }
  return out.find('\0') == std::string::npos && base::is_valid_utf8(out);
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
  if (!is_form(request.headers.get("Content-Type")) || request.body.size() > max_body) return std::nullopt;
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
    if (!decode(pair.substr(0, equals), name)) return std::nullopt;
    if (!decode(pair.substr(std::min(equals + 1, pair.size())), value)) return std::nullopt;
    const auto twice = std::count_if(form.fields_.begin(), form.fields_.end(),
                                     [&n = name](const auto& field) { return field.first == n; });
    if (twice > 1) return std::nullopt;
  }
  return form;
}

}  // namespace invited::http
