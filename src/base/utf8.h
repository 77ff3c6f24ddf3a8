// Strict UTF-8 and the Unicode questions that we ask of texts from outside, by libunistring: is it valid,
// how many code points, its NFC, does it hold characters that hide or reorder text. Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace invited::base {

/// Well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
bool is_valid_utf8(std::string_view text);

/// Bytes before the first one that is not well-formed: the whole size where all are.
std::size_t valid_utf8_size(std::string_view text);

/// Number of code points. `text` must be valid UTF-8.
std::size_t count_code_points(std::string_view text);

/// Normalization Form C. `text` must be valid UTF-8.
std::string to_nfc(std::string_view text);

/// Default case folding with NFC, for comparing texts whatever their letter case. Valid UTF-8 only.
std::string fold_case(std::string_view text);

/// True where a code point is a control (Cc), a format or bidi control (Cf), a line or paragraph separator
/// (U+0085, U+2028, U+2029), a private-use, surrogate or unassigned one, or a letter that nobody sees (U+3164). Not
/// hidden is a joiner (U+200C, U+200D) that changes how the letters beside it are written, as Persian and Sinhala need
/// it (RFC 5892, A.1 and A.2). Valid UTF-8 only.
bool has_hidden_characters(std::string_view text);

/// The same of the one code point that begins at byte `at`.
bool is_hidden_at(std::string_view text, std::size_t at);

/// Valid UTF-8 only.
std::u32string to_code_points(std::string_view text);

/// At most `limit` code points, cut at a boundary.
std::string truncate_code_points(std::string_view text, std::size_t limit);

/// At most `limit` code points, cut between two characters as people see them (grapheme clusters, UAX 29), so that no
/// accent, skin tone or half of a flag is left over; but inside the first one where that alone is longer. Valid UTF-8
/// only.
std::string truncate_characters(std::string_view text, std::size_t limit);

/// Without white space at either end (Unicode White_Space). Valid UTF-8 only.
std::string_view trim(std::string_view text);

}  // namespace invited::base
