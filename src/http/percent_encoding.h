// Percent-encoded texts of forms and queries (application/x-www-form-urlencoded). Knows no fields. Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace invited::http {

/// The value of a hexadecimal digit, or -1.
int hex_digit(char c);

/// Appends what `encoded` means to `out`: '+' is a blank. False for a broken escape, what is not UTF-8, and NUL.
bool decode_form_text(std::string_view encoded, std::string& out);

}  // namespace invited::http
