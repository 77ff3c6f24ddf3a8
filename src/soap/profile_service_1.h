// The ProfileService, version 1 (wsdl/ProfileService-1.wsdl): the name of a person, for apps with an older module. From
// gSOAP's types to the domain's and back; no rule lives here.
#pragma once

struct soap;  // gSOAP's context

namespace invited::soap {

struct Call;

/// See Service::serve in services.h.
int serve_profile_service_1(::soap* context, Call& call);

}  // namespace invited::soap
