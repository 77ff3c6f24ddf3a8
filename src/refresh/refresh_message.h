// What an app is told when a person's roles changed: RefreshUserPermissions (wsdl/RefreshAPI.wsdl) as a SOAP 1.1
// message in memory. Modules of different age have different namespaces, so it is given at run time. Not for sending
// (refresh_caller) nor for the answer (refresh_answer). Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace invited::refresh {

struct RefreshMessage {
  std::string envelope;     ///< UTF-8
  std::string soap_action;  ///< the header's value, in its quotes
};

/// `name_space`: Environment::refresh_namespace. `openid`: domain::make_openid. Throws std::bad_alloc.
RefreshMessage make_refresh_message(const std::string& name_space, const std::string& openid);

}  // namespace invited::refresh
