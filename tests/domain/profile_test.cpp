#include "domain/profile.h"

#include <gtest/gtest.h>

namespace invited::domain {
namespace {

TEST(Profile, EveryFieldIsDescribedAtItsPlaceAndFoundByItsName) {
  for (std::size_t i = 0; i < kProfileFields.size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(kProfileFields[i].field), i) << kProfileFields[i].name;
    EXPECT_EQ(parse_profile_field(kProfileFields[i].name), kProfileFields[i].field);
    EXPECT_EQ(describe(kProfileFields[i].field).name, kProfileFields[i].name);
  }
  EXPECT_FALSE(parse_profile_field("shoe_size"));
  EXPECT_FALSE(parse_profile_field(""));
}

struct Accepted {
  ProfileField field;
  std::string text;
  std::string stored;
};

TEST(Profile, WhatPeopleTypeIsStoredAsItIsMeant) {
  const Accepted table[] = {
      {ProfileField::job_title, "  Harbour master & <pilot> ", "Harbour master & <pilot>"},
      {ProfileField::job_title, "", ""},
      {ProfileField::job_title, " \t ", ""},
      {ProfileField::job_title, "e\xCC\x81lectricien", "\xC3\xA9lectricien"},
      {ProfileField::department, "漢字 & é", "漢字 & é"},
      {ProfileField::phone, "+31 (0)20 123-45.67", "+31 (0)20 123-45.67"},
      {ProfileField::website, "https://www.example.org/a?b=c", "https://www.example.org/a?b=c"},
      {ProfileField::website, "www.example.org", "https://www.example.org"},
      {ProfileField::website, "https://example.org/änne?é", "https://example.org/%c3%a4nne?%c3%a9"},
      {ProfileField::linkedin, "linkedin.com/in/ada", "https://linkedin.com/in/ada"},
      {ProfileField::twitter, "@ada", "@ada"},
      {ProfileField::skype, "ada.lovelace", "ada.lovelace"},
      {ProfileField::bio, "One line.\r\nAnother.\n", "One line.\nAnother."},
  };
  for (const auto& [field, text, stored] : table) {
    const auto checked = check_profile_value(field, text);
    ASSERT_TRUE(checked) << text << ": " << checked.error().message;
    EXPECT_EQ(*checked, stored) << describe(field).name;
  }
}

struct Refused {
  ProfileField field;
  std::string text;
};

TEST(Profile, WhatAFieldCannotHoldIsRefusedNamingIt) {
  const Refused table[] = {
      {ProfileField::job_title, std::string(201, 'x')},
      {ProfileField::company, std::string(101, 'x')},
      {ProfileField::bio, std::string(2001, 'x')},
      {ProfileField::job_title, "two\nlines"},
      {ProfileField::job_title, "line\xE2\x80\xA8separator"},
      {ProfileField::job_title, std::string("nul\0", 4)},
      {ProfileField::job_title, "bidi \xE2\x80\xAE override"},
      {ProfileField::job_title, "not \xC0\xAF utf-8"},
      {ProfileField::bio, "bell \x07"},
      {ProfileField::phone, "call me"},
      {ProfileField::phone, "+31 20 1234567 ext 12345"},
      {ProfileField::phone, std::string(21, '1')},
      {ProfileField::website, "javascript:alert(1)"},
      {ProfileField::website, "data:text/html,x"},
      {ProfileField::website, "https://user:secret@example.org/"},
      {ProfileField::website, "https://"},
      {ProfileField::website, "somewhere"},
      {ProfileField::website, "https://änne.example/"},
      {ProfileField::website, "https://example.org/\"><script>"},
      {ProfileField::website, "https://example.org/" + std::string(400, 'x')},
      {ProfileField::linkedin, "javascript:alert(1)"},
      {ProfileField::twitter, "vbscript:x"},
      {ProfileField::avatar_url, "ftp://example.org/a.png"},
  };
  for (const auto& [field, text] : table) {
    const auto checked = check_profile_value(field, text);
    ASSERT_FALSE(checked) << describe(field).name << ": " << text;
    EXPECT_EQ(checked.error().code, ErrorCode::invalid_parameter);
    EXPECT_EQ(checked.error().parameter, describe(field).name);
  }
}

TEST(Profile, LengthsCountCharactersAndNotBytes) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += "漢";
  EXPECT_TRUE(check_profile_value(ProfileField::job_title, text));
  EXPECT_FALSE(check_profile_value(ProfileField::job_title, text + "漢"));
}

}  // namespace
}  // namespace invited::domain
