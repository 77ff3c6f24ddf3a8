// A submitted HTML form (application/x-www-form-urlencoded) as fields. Strict: what no browser sends is refused, so
// that nothing is read in two ways. The values are wiped when the form dies, for one of them is a password.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/message.h"

namespace invited::http {

/// Bytes of a form's body: enough for names and passwords. For pages' routes and parse_form.
inline constexpr std::size_t kMaxFormBody = 16 * 1024;

class Form {
 public:
  Form() = default;
  Form(const Form&) = delete;
  Form& operator=(const Form&) = delete;
  Form(Form&&) noexcept = default;
  Form& operator=(Form&&) noexcept = default;
  ~Form();

  /// The field's value, or empty.
  std::string_view get(std::string_view name) const;

 private:
  friend std::optional<Form> parse_form(const Request& request, std::size_t max_body);
  std::vector<std::pair<std::string, std::string>> fields_;
};

/// Nothing for another content type, a broken percent-encoding, invalid UTF-8, a NUL, a name that comes twice, more
/// than 16 fields, or more than `max_body` bytes.
std::optional<Form> parse_form(const Request& request, std::size_t max_body = kMaxFormBody);

}  // namespace invited::http
