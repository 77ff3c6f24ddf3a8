#include "soap/invite_service.h"

#include "InviteAPI/InviteAPIInviteAPISoapService.h"
#include "domain/send_invitation.h"
#include "soap/call.h"

namespace invited::soap {
namespace {

class InviteService final : public InviteAPI::InviteAPISoapService {
 public:
  InviteService(::soap* context, Call& call) : InviteAPISoapService(context), call_(call) {}

  int SendInvite(InviteAPI::_tns__SendInvite* request, InviteAPI::_tns__SendInviteResponse&) override {
    const bool taken = put_off(call_, [&] {
      domain::SendInvitation sending{
          .environment_uuid = std::move(request->EnvironmentUUID),
          .environment_password = base::Secret(request->EnvironmentPassword),
          .role_uuid = std::move(request->RoleUUID),
          .invitee_email_address = std::move(request->InviteeEmailAddress),
          .inviter_email_address = std::move(request->InviterEmailAddress),
          .idempotency_key = std::string(call_.idempotency_key),
          .client_address = std::string(call_.client_address),
      };
      return [sending = std::move(sending)](domain::Context& context, Conclude conclude) {
        domain::send_invitation(sending, context, [conclude = std::move(conclude)](auto sent) mutable {
          conclude(sent ? std::nullopt : std::optional(std::move(sent.error())));
        });
      };
    });
    base::wipe(request->EnvironmentPassword);
    return taken ? SOAP_OK : SOAP_STOP;  // SOAP_STOP: gSOAP writes nothing
  }

  /// Only gSOAP's own multi-threaded server copies services; it is not used here.
  InviteAPISoapService* copy() override { return nullptr; }

 private:
  Call& call_;
};

}  // namespace

int serve_invite_api(::soap* context, Call& call) { return InviteService(context, call).dispatch(); }

}  // namespace invited::soap
