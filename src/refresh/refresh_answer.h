// What an app's answer to RefreshUserPermissions means: done, or to be tried again and why. The answer is a stranger's
// text: parsed without DTD and entities, and only one cut line of it is kept. Not for the connection
// (calls/http_caller), which also bounds the size. Pure function; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "domain/call.h"

namespace invited::refresh {

/// Done: a 2xx status with a SOAP message that is not a fault, or with nothing. Everything else is deferred: a fault
/// with its own text, whatever its status; a redirect; another status; a 2xx page that is not SOAP.
domain::CallResult judge_answer(int http_status, std::string_view body);

}  // namespace invited::refresh
