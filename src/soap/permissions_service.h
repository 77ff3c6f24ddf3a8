// The PermissionsAPI service, version 1 (wsdl/PermissionsAPI.wsdl): which roles a person has. From gSOAP's types to the
// domain's and back; no rule lives here. An app takes an empty answer for "withdraw everything", so nothing but the
// domain's own empty list may ever become one.
#pragma once

struct soap;  // gSOAP's context

namespace invited::soap {

struct Call;

/// See Service::serve in services.h.
int serve_permissions_api(::soap* context, Call& call);

}  // namespace invited::soap
