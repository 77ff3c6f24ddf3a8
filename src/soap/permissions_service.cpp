#include "soap/permissions_service.h"

#include <vector>

#include "PermissionsAPI/PermissionsAPIPermissionsAPISoapService.h"
#include "base/utf8.h"
#include "soap/person_query.h"

namespace invited::soap {
namespace {

using AppRole = PermissionsAPI::tns__AppRole;

constexpr std::size_t kNameLimit = 200;  // the contract's

class PermissionsService final : public PermissionsAPI::PermissionsAPISoapService {
 public:
  PermissionsService(::soap* context, Call& call) : PermissionsAPISoapService(context), call_(call) {}

  int GetRolesForOpenID(PermissionsAPI::_tns__GetRolesForOpenID* request,
                        PermissionsAPI::_tns__GetRolesForOpenIDResponse& response) override {
    const bool done = run_use_case(
        call_,
        [&] {
          return domain::find_roles_of_person(
              take_person_query(request->OpenID, request->EnvironmentID, request->EnvironmentPassword, call_),
              call_.context);
        },
        [&](const domain::Result<std::vector<domain::Role>>& roles) {
          roles_.resize(roles->size());
          for (std::size_t i = 0; i < roles_.size(); ++i) {
            roles_[i].UUID = (*roles)[i].id.to_string();
            roles_[i].DisplayName = base::truncate_characters((*roles)[i].name, kNameLimit);
            response.AppRole.push_back(&roles_[i]);
          }
        });
    return done ? SOAP_OK : SOAP_STOP;  // SOAP_STOP: gSOAP writes nothing
  }

  /// Only gSOAP's own multi-threaded server copies services; it is not used here.
  PermissionsAPISoapService* copy() override { return nullptr; }

 private:
  Call& call_;
  std::vector<AppRole> roles_;  ///< what the response points to: it is written before this object dies
};

}  // namespace

int serve_permissions_api(::soap* context, Call& call) { return PermissionsService(context, call).dispatch(); }

}  // namespace invited::soap
