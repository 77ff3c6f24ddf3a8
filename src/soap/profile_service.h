// The ProfileService, version 3 (wsdl/ProfileService.wsdl): who a person is. From the domain's types to gSOAP's, cut to
// the contract's lengths; what is not known is nil. An email address that is too long is nil too, since a cut one is
// somebody else's.
#pragma once

struct soap;  // gSOAP's context

namespace invited::soap {

struct Call;

/// See Service::serve in services.h.
int serve_profile_service(::soap* context, Call& call);

}  // namespace invited::soap
