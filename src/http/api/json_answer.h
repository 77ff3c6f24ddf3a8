// Answers of the JSON front doors: plain JSON, problem details (RFC 9457), entity tags (RFC 9110 section 8.8.3). The
// one place where an error code becomes a status; a dialect words its own bodies, but takes the status from here.
// Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "domain/error.h"
#include "http/api/strict_json.h"
#include "http/message.h"

namespace invited::http {

/// "application/json", never to be stored by anybody. Text that is not UTF-8 is replaced, not thrown about.
Response make_json(int status, const Json& body);

/// The status of a refusal. 503 with outcome_unknown: calling again is right and safe.
int status_of(domain::ErrorCode code);

/// The code that fits an error that the listener found (405, 413, 503, …).
domain::ErrorCode code_of_status(int status);

/// Retry-After, where the error tells when; for answers that a dialect words itself.
void add_retry_after(Response& response, const domain::Error& error);

/// The members of a problem, for an error inside of a larger answer.
Json to_problem(const domain::Error& error);

/// "application/problem+json": type, title, status, detail, code, and where they say something parameter and retry
/// (seconds to wait). With Retry-After.
Response make_problem(const domain::Error& error);
/// The same for an error of the listener: an ErrorRenderer.
Response render_problem(int status, std::string_view reason, const Request& = {});

/// A strong tag of these bytes, quoted as it stands in ETag.
std::string entity_tag(std::string_view body);

/// Makes it a 304 without a body where If-None-Match names the ETag that it has (GET and HEAD only).
void answer_if_none_match(const Request& request, Response& response);

/// Sets ETag, and makes it a 304 without a body where If-None-Match names it (GET and HEAD only).
void add_entity_tag(const Request& request, Response& response);

/// Whether If-Match allows a change of what has this tag now. Without the field it does; weak tags never match.
bool if_match_holds(const Request& request, std::string_view tag);

}  // namespace invited::http
