// How the JSON front doors run a call, whatever their dialect: find out who calls, do the work in one transaction, and
// only then answer. A repeated Idempotency-Key is answered as the first time, without doing anything. A dialect brings
// its work and its words for errors. Thread-safe; holds references to what outlives it.
//
//   router.add("POST", "/api/things", [&calls](const Request& request) {
//     const auto input = read_input(request);             // 400 in the dialect's words
//     return calls.write(request, [&](ApiCall& call) -> domain::Result<ApiAnswer> { …; return ApiAnswer{201, json}; });
//   });
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "domain/caller.h"
#include "http/api/strict_json.h"
#include "http/message.h"
#include "http/router.h"

namespace invited::http {

/// What work has at hand.
struct ApiCall {
  const Request& request;
  const domain::Caller& caller;  ///< as the transaction sees it
  domain::Transaction& transaction;
  const domain::Policy& policy;
  base::Timestamp now;
};

struct ApiAnswer {
  int status = 200;
  Json body;
  std::vector<std::pair<std::string, std::string>> headers{};
  bool mail_queued = false;
  bool refresh_queued = false;
  /// Puts links and tokens into the body: after it was stored for a repeated Idempotency-Key, which gets none.
  std::function<void(Json& body)> reveal{};
};

using ApiWork = std::function<domain::Result<ApiAnswer>(ApiCall&)>;

/// How a dialect words an Error.
using ErrorWriter = std::function<Response(const domain::Error&)>;
/// Who calls. authenticate_api_token unless a dialect has other ways in besides.
using Authenticator = std::function<domain::Result<domain::Caller>(const Request&, domain::Context&)>;

/// By the API token in the Authorization field. Errors: authentication_failed, rate_limited, unavailable.
domain::Result<domain::Caller> authenticate_api_token(const Request& request, domain::Context& context);

/// What a call brings along.
enum class ApiBody {
  json,
  none,  ///< or one that does not matter: it need have no Content-Type
};

/// What a request on a JSON path may look like: a body of a size that parse_json takes, from pages of named origins
/// too.
RouteOptions api_route_options(ErrorRenderer render_error, ApiBody body);

class ApiCalls {
 public:
  ApiCalls(domain::Context& context, ErrorWriter write_error, Authenticator authenticate = authenticate_api_token);

  /// Work that only reads, on a snapshot.
  Response read(const Request& request, const ApiWork& work) const;

  /// Work that changes something: durable when this returns a 2xx. Work may run again (domain::Store::write), which
  /// may want to know ahead whom it invites.
  Response write(const Request& request, const ApiWork& work, const domain::Foresight& foresight = {}) const;

  /// What a request is answered that makes no sense by itself: `refusal`, once it is known who calls; else that that is
  /// not known. So strangers learn nothing from what they send.
  Response refuse_input(const Request& request, Response refusal) const;

  Response refuse(const domain::Error& error) const { return write_error_(error); }
  domain::Context& context() const { return context_; }

 private:
  Response to_response(ApiAnswer answer) const;

  domain::Context& context_;
  ErrorWriter write_error_;
  Authenticator authenticate_;
};

}  // namespace invited::http
