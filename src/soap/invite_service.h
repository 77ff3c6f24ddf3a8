// The InviteAPI service, version 1 (wsdl/InviteAPI.wsdl): from gSOAP's types to the domain's and back; no rule lives
// here.
#pragma once

struct soap;  // gSOAP's context

namespace invited::soap {

struct Call;

/// See Service::serve in services.h.
int serve_invite_api(::soap* context, Call& call);

}  // namespace invited::soap
