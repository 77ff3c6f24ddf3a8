#include "soap/profile_service.h"

#include <array>
#include <deque>
#include <string>

#include "ProfileService/ProfileServiceProfileServiceSoapService.h"
#include "base/utf8.h"
#include "domain/openid.h"
#include "soap/person_query.h"

namespace invited::soap {
namespace {

using domain::ProfileField;
using Company = ProfileService::tns__Company;
using UserProfile = ProfileService::tns__UserProfile;
using UserProfileCompany = ProfileService::tns__UserProfile_USCORECompany;

// The contract's lengths; those of OpenIDs and of the profile's fields are the domain's own.
constexpr std::size_t kNameLimit = 200;
constexpr std::size_t kEmailLimit = 200;

struct FieldMember {
  ProfileField field;
  std::string* UserProfile::* member;
};
constexpr std::array kFieldMembers{
    FieldMember{ProfileField::avatar_url, &UserProfile::AvatarUrl},
    FieldMember{ProfileField::avatar_thumbnail_url, &UserProfile::AvatarThumbnailUrl},
    FieldMember{ProfileField::job_title, &UserProfile::JobTitle},
    FieldMember{ProfileField::department, &UserProfile::Department},
    FieldMember{ProfileField::location, &UserProfile::Location},
    FieldMember{ProfileField::country, &UserProfile::Country},
    FieldMember{ProfileField::bio, &UserProfile::Bio},
    FieldMember{ProfileField::website, &UserProfile::Website},
    FieldMember{ProfileField::phone, &UserProfile::Phone},
    FieldMember{ProfileField::linkedin, &UserProfile::LinkedIn},
    FieldMember{ProfileField::twitter, &UserProfile::Twitter},
    FieldMember{ProfileField::skype, &UserProfile::Skype},
    FieldMember{ProfileField::company_id, &UserProfile::CompanyId},
    FieldMember{ProfileField::company, &UserProfile::Company},
};
static_assert(kFieldMembers.size() == domain::kProfileFields.size(), "every field of a profile is answered");

/// A UserProfile and what it points to.
class Answer {
 public:
  UserProfile* fill(const domain::Person& person) {
    profile_.OpenId = text(person.openid, domain::kMaxOpenIdLength);
    profile_.DisplayName = text(person.account.name, kNameLimit);
    const auto& email = person.account.email.text();
    profile_.EmailAddress = base::count_code_points(email) <= kEmailLimit ? text(email, kEmailLimit) : nullptr;
    for (const auto& [field, member] : kFieldMembers)
      profile_.*member = text(person.profile.get(field), domain::describe(field).max_length);
    if (profile_.CompanyId != nullptr || profile_.Company != nullptr) {
      company_.CompanyId = profile_.CompanyId;
      company_.CompanyName = profile_.Company;
      profile_company_.Company = &company_;
      profile_.UserProfile_USCORECompany = &profile_company_;
    }
    return &profile_;
  }

 private:
  /// Null, which is written as nil, for what is not known.
  std::string* text(const std::string& value, std::size_t limit) {
    return value.empty() ? nullptr : &texts_.emplace_back(base::truncate_characters(value, limit));
  }

  std::deque<std::string> texts_;  // a deque: what is in it stays where it is
  Company company_;
  UserProfileCompany profile_company_;
  UserProfile profile_;
};

class ProfileServiceHandler final : public ProfileService::ProfileServiceSoapService {
 public:
  ProfileServiceHandler(::soap* context, Call& call) : ProfileServiceSoapService(context), call_(call) {}

  int GetUserProfile(ProfileService::_tns__GetUserProfile* request,
                     ProfileService::_tns__GetUserProfileResponse& response) override {
    const bool done = run_use_case(
        call_,
        [&] {
          return domain::find_person(
              take_person_query(request->OpenID, request->EnvironmentUUID, request->EnvironmentPassword, call_),
              call_.context);
        },
        [&](const domain::Result<domain::Person>& person) { response.UserProfile = answer_.fill(*person); });
    return done ? SOAP_OK : SOAP_STOP;  // SOAP_STOP: gSOAP writes nothing
  }

  /// Only gSOAP's own multi-threaded server copies services; it is not used here.
  ProfileServiceSoapService* copy() override { return nullptr; }

 private:
  Call& call_;
  Answer answer_;  ///< what the response points to: it is written before this object dies
};

}  // namespace

int serve_profile_service(::soap* context, Call& call) { return ProfileServiceHandler(context, call).dispatch(); }

}  // namespace invited::soap
