#include "base/translation.h"

#include <algorithm>
#include <boost/locale/gnu_gettext.hpp>
#include <boost/locale/message.hpp>
#include <cstdio>
#include <cstdlib>
#include <locale>
#include <span>
#include <vector>

#include "base/ascii.h"
#include "base/embedded_file.h"

namespace invited::base {

namespace catalogues {
std::span<const EmbeddedFile> files();
}

namespace {

namespace gettext = boost::locale::gnu_gettext;

/// The catalogue `file_name` ("nl/LC_MESSAGES/invited.mo" by gettext's convention), out of the program itself.
std::vector<char> load_catalogue(const std::string& file_name, const std::string&) {
  const std::string wanted = file_name.substr(0, file_name.find('/')) + ".mo";
  for (const EmbeddedFile& file : catalogues::files())
    if (file.name == wanted) return {file.content.begin(), file.content.end()};
  return {};
}

std::locale make_locale(Language language) {
  if (language == Language::en) return std::locale::classic();
  gettext::messages_info info;
  info.language = std::string(to_string(language));
  info.encoding = "UTF-8";
  info.domains.emplace_back("invited");
  info.paths.emplace_back("");
  info.callback = [language](const std::string&, const std::string& encoding) {
    return load_catalogue(std::string(to_string(language)) + "/", encoding);
  };
  return {std::locale::classic(), gettext::create_messages_facet<char>(info)};
}

const std::locale& locale_of(Language language) {
  static const std::array<std::locale, kLanguages.size()> kLocales{make_locale(Language::en), make_locale(Language::nl),
                                                                   make_locale(Language::de), make_locale(Language::fr),
                                                                   make_locale(Language::es)};
  return kLocales[static_cast<std::size_t>(language)];
}

constexpr std::array<std::string_view, 12> kMonths{"January",   "February", "March",    "April",
                                                   "May",       "June",     "July",     "August",
                                                   "September", "October",  "November", "December"};

std::string replace(std::string text, std::string_view placeholder, std::string_view value) {
  if (const auto at = text.find(placeholder); at != std::string::npos) text.replace(at, placeholder.size(), value);
  return text;
}

}  // namespace

std::string_view to_string(Language language) {
  switch (language) {
    case Language::en:
      return "en";
    case Language::nl:
      return "nl";
    case Language::de:
      return "de";
    case Language::fr:
      return "fr";
    case Language::es:
      return "es";
  }
  return "en";
}

std::optional<Language> parse_language(std::string_view tag) {
  const std::string primary = to_lower_ascii(tag.substr(0, tag.find_first_of("-_")));
  for (const Language language : kLanguages)
    if (primary == to_string(language)) return language;
  return std::nullopt;
}

Language negotiate_language(std::string_view accept_language, Language fallback) {
  Language best = fallback;
  double best_quality = 0;
  while (!accept_language.empty()) {
    const auto comma = accept_language.find(',');
    const std::string_view item = trim_blanks(accept_language.substr(0, comma));
    accept_language.remove_prefix(comma == std::string_view::npos ? accept_language.size() : comma + 1);

    const auto semicolon = item.find(';');
    double quality = 1;
    if (semicolon != std::string_view::npos) {
      const std::string parameter(trim_blanks(item.substr(semicolon + 1)));
      if (parameter.starts_with("q=")) quality = std::atof(parameter.c_str() + 2);
    }
    const auto language = parse_language(trim_blanks(item.substr(0, semicolon)));
    if (language && quality > best_quality) {
      best = *language;
      best_quality = quality;
    }
  }
  return best;
}

std::string translate(Language language, std::string_view english) {
  return boost::locale::translate(std::string(english)).str(locale_of(language));
}

std::string on_one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\n' || c == '\r' || c == '\t';
    if (!blank) line += c;
    if (blank && !line.empty() && line.back() != ' ') line += ' ';
  }
  if (line.ends_with(' ')) line.pop_back();
  return line;
}

std::string date_in_words(Language language, Timestamp time) {
  const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(time)};
  std::string text = translate(language, "{day} {month} {year}");
  const auto day = static_cast<unsigned>(date.day());
  const bool is_ordinal = language == Language::fr && day == 1;  // "1er mars", but "2 mars"
  text = replace(std::move(text), "{day}", std::to_string(day) + (is_ordinal ? "er" : ""));
  text = replace(std::move(text), "{month}", translate(language, kMonths[static_cast<unsigned>(date.month()) - 1]));
  return replace(std::move(text), "{year}", std::to_string(static_cast<int>(date.year())));
}

std::string date_and_time_in_words(Language language, Timestamp time) {
  const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::minutes>(time) -
                                    std::chrono::floor<std::chrono::days>(time)};
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%02d:%02d", static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()));
  return date_in_words(language, time) + ", " + text.data() + " UTC";
}

}  // namespace invited::base
