#include "soap/profile_service_1.h"

#include "ProfileService_1/ProfileService_1ProfileServiceSoapService.h"
#include "soap/person_query.h"

namespace invited::soap {
namespace {

class ProfileService1 final : public ProfileService_1::ProfileServiceSoapService {
 public:
  ProfileService1(::soap* context, Call& call) : ProfileServiceSoapService(context), call_(call) {}

  int GetDisplayName(ProfileService_1::_tns__GetDisplayName* request,
                     ProfileService_1::_tns__GetDisplayNameResponse& response) override {
    const bool done = run_use_case(
        call_,
        [&] {
          return domain::find_person(
              take_person_query(request->OpenID, request->EnvironmentUUID, request->EnvironmentPassword, call_),
              call_.context);
        },
        [&](const domain::Result<domain::Person>& person) { response.Result = person->account.name; });
    return done ? SOAP_OK : SOAP_STOP;  // SOAP_STOP: gSOAP writes nothing
  }

  /// Only gSOAP's own multi-threaded server copies services; it is not used here.
  ProfileServiceSoapService* copy() override { return nullptr; }

 private:
  Call& call_;
};

}  // namespace

int serve_profile_service_1(::soap* context, Call& call) { return ProfileService1(context, call).dispatch(); }

}  // namespace invited::soap
