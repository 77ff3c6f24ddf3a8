// What an account says about a person beside address and name, as apps ask for it (soap-contract.md, UserProfile).
// A table of fields: forms, commands, storage and SOAP walk it, none of them knows the fields by heart. Plain values;
// thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/error.h"

namespace invited::domain {

enum class ProfileField {
  job_title,
  department,
  company,
  company_id,
  location,
  country,
  phone,
  website,
  linkedin,
  twitter,
  skype,
  avatar_url,
  avatar_thumbnail_url,
  bio,
};

/// What may stand in a field, all of it without hidden characters.
enum class ProfileFieldForm {
  line,    ///< one line of text
  text,    ///< several lines
  phone,   ///< digits, blanks and "+-()./"
  url,     ///< an http or https URL; "www.example.org" becomes one
  handle,  ///< a name such as "@ada" or "ada.lovelace", or a URL; "linkedin.com/in/ada" becomes one
};

struct ProfileFieldDescription {
  ProfileField field;
  std::string_view name;   ///< in the database, forms and JSON: "job_title"; as an option: "--job-title"
  std::size_t max_length;  ///< code points; what the contract allows
  ProfileFieldForm form;
  bool is_persons_own;  ///< the person may change it; the others are for operators
};

inline constexpr std::array kProfileFields{
    ProfileFieldDescription{ProfileField::job_title, "job_title", 200, ProfileFieldForm::line, true},
    ProfileFieldDescription{ProfileField::department, "department", 200, ProfileFieldForm::line, true},
    ProfileFieldDescription{ProfileField::company, "company", 100, ProfileFieldForm::line, true},
    ProfileFieldDescription{ProfileField::company_id, "company_id", 200, ProfileFieldForm::line, false},
    ProfileFieldDescription{ProfileField::location, "location", 200, ProfileFieldForm::line, true},
    ProfileFieldDescription{ProfileField::country, "country", 200, ProfileFieldForm::line, true},
    ProfileFieldDescription{ProfileField::phone, "phone", 20, ProfileFieldForm::phone, true},
    ProfileFieldDescription{ProfileField::website, "website", 400, ProfileFieldForm::url, true},
    ProfileFieldDescription{ProfileField::linkedin, "linkedin", 400, ProfileFieldForm::handle, true},
    ProfileFieldDescription{ProfileField::twitter, "twitter", 400, ProfileFieldForm::handle, true},
    ProfileFieldDescription{ProfileField::skype, "skype", 100, ProfileFieldForm::handle, true},
    ProfileFieldDescription{ProfileField::avatar_url, "avatar_url", 500, ProfileFieldForm::url, false},
    ProfileFieldDescription{ProfileField::avatar_thumbnail_url, "avatar_thumbnail_url", 500, ProfileFieldForm::url,
                            false},
    ProfileFieldDescription{ProfileField::bio, "bio", 2000, ProfileFieldForm::text, true},
};

/// The description of a field, and the field of that name.
const ProfileFieldDescription& describe(ProfileField field);
std::optional<ProfileField> parse_profile_field(std::string_view name);

/// All fields of one person. Empty: not said.
class Profile {
 public:
  const std::string& get(ProfileField field) const { return values_[static_cast<std::size_t>(field)]; }
  void set(ProfileField field, std::string value) { values_[static_cast<std::size_t>(field)] = std::move(value); }
  bool operator==(const Profile&) const = default;

 private:
  std::array<std::string, kProfileFields.size()> values_;
};

/// What may be stored for `value`: trimmed, NFC; empty stays empty. Else invalid_parameter naming the field, with a
/// sentence for people that says what to write.
Result<std::string> check_profile_value(ProfileField field, std::string_view value);

}  // namespace invited::domain
