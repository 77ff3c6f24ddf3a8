// The options of `account set` that stand for a profile's fields: made at compile time out of domain/profile.h's table,
// so that a new field is an option at once. Constants; thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "cli/admin_command_table.h"
#include "domain/profile.h"

namespace invited::cli {

/// "job_title" → "job-title", and what may be written there.
struct ProfileOptionTexts {
  template <std::size_t Size>
  struct Text {
    std::array<char, Size> characters{};
    std::size_t size = 0;

    constexpr void append(std::string_view text) {
      for (const char c : text) characters.at(size++) = c;
    }
    constexpr void append(std::size_t number) {
      if (number >= 10) append(number / 10);
      characters.at(size++) = static_cast<char>('0' + number % 10);
    }
    constexpr std::string_view view() const { return {characters.data(), size}; }
  };

  Text<32> name;
  Text<96> help;
};

constexpr std::string_view describe_form(domain::ProfileFieldForm form) {
  switch (form) {
    case domain::ProfileFieldForm::line:
      return "one line";
    case domain::ProfileFieldForm::text:
      return "several lines";
    case domain::ProfileFieldForm::phone:
      return "digits, blanks and +-()./";
    case domain::ProfileFieldForm::url:
      return "a web address";
    case domain::ProfileFieldForm::handle:
      return "a web address or a name";
  }
  return {};
}

inline constexpr auto kProfileOptionTexts = [] {
  std::array<ProfileOptionTexts, domain::kProfileFields.size()> texts{};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const domain::ProfileFieldDescription& field = domain::kProfileFields.at(i);
    for (const char c : field.name) texts.at(i).name.append(c == '_' ? "-" : std::string_view(&c, 1));
    texts.at(i).help.append(describe_form(field.form));
    texts.at(i).help.append(", at most ");
    texts.at(i).help.append(field.max_length);
    texts.at(i).help.append(field.is_persons_own ? " characters" : " characters; only operators set it");
  }
  return texts;
}();

/// `first`, then an option for each field.
template <std::size_t Count>
constexpr std::array<OptionSpec, Count + domain::kProfileFields.size()> with_profile_options(
    const std::array<OptionSpec, Count>& first) {
  std::array<OptionSpec, Count + domain::kProfileFields.size()> options{};
  for (std::size_t i = 0; i < Count; ++i) options.at(i) = first.at(i);
  for (std::size_t i = 0; i < domain::kProfileFields.size(); ++i)
    options.at(Count + i) = {.name = kProfileOptionTexts.at(i).name.view(),
                             .kind = OptionKind::text,
                             .required = false,
                             .help = kProfileOptionTexts.at(i).help.view(),
                             .argument = domain::kProfileFields.at(i).name};
  return options;
}

}  // namespace invited::cli
