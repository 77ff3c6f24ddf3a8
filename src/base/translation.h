// Texts for people in their language: gettext catalogues (src/base/locale/*.po, compiled in) looked up by the
// English text itself. A missing translation falls back to English; a test proves that none is missing.
// Placeholders are Mustache variables inside the text and are filled by the template, not here. Thread-safe.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace invited::base {

enum class Language { en, nl, de, fr, es };

inline constexpr std::array kLanguages{Language::en, Language::nl, Language::de, Language::fr, Language::es};

/// "en", "nl", … (ISO 639-1).
std::string_view to_string(Language language);
/// The inverse; region subtags are ignored ("de-AT" is de). Nothing for other languages.
std::optional<Language> parse_language(std::string_view tag);
/// The best of ours for an Accept-Language header (RFC 9110 section 12.5.4), or `fallback`.
Language negotiate_language(std::string_view accept_language, Language fallback);

/// `english` in `language`.
std::string translate(Language language, std::string_view english);

/// Runs of blanks and line ends as one blank, none at either end: template sources may break lines, catalogues hold
/// one.
std::string on_one_line(std::string_view text);

/// A date in words, UTC: "27 November 2026" and the like, as written in that language.
std::string date_in_words(Language language, Timestamp time);
/// The same with the time of day: "27 November 2026, 14:05 UTC".
std::string date_and_time_in_words(Language language, Timestamp time);

}  // namespace invited::base
