#include "http/api/json_answer.h"

#include <algorithm>
#include <utility>

#include "base/crypto.h"
#include "http/request_policy.h"

namespace invited::http {
namespace {

std::string to_text(const Json& body) {
  return body.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

Json problem_body(int status, const domain::Error& error) {
  const std::string code(domain::to_string(error.code));
  Json body{{"type", "urn:invited:problem:" + code},
            {"title", reason_phrase(status)},
            {"status", status},
            {"detail", error.message},
            {"code", code}};
  if (!error.parameter.empty()) body["parameter"] = error.parameter;
  if (error.retry_after) body["retry"] = error.retry_after->count();
  return body;
}

Response problem(int status, const domain::Error& error) {
  Response response = make_json(status, problem_body(status, error));
  response.headers.set("Content-Type", "application/problem+json");
  add_retry_after(response, error);
  return response;
}

/// Whether a list of tags ("a", W/"b", or *) names this one. Weak comparison takes W/"a" for "a".
bool names_tag(std::string_view list, std::string_view tag, bool weak) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == ','; };
  while (!list.empty()) {
    if (blank(list.front())) {
      list.remove_prefix(1);
      continue;
    }
    if (list.front() == '*') return true;
    const bool is_weak = list.starts_with("W/");
    if (is_weak) list.remove_prefix(2);
    if (!list.starts_with('"')) return false;  // not a list of tags
    const auto end = list.find('"', 1);
    if (end == std::string_view::npos) return false;
    if ((weak || !is_weak) && list.substr(0, end + 1) == tag) return true;
    list.remove_prefix(end + 1);
  }
  return false;
}

/// A list may come in several fields.
bool any_names_tag(const Headers& headers, std::string_view name, std::string_view tag, bool weak) {
  return std::ranges::any_of(headers.all(), [&](const auto& field) {
    return equals_ignoring_case(field.first, name) && names_tag(field.second, tag, weak);
  });
}

}  // namespace

Response make_json(int status, const Json& body) {
  // No charset: JSON is UTF-8, and the media type has no such parameter (RFC 8259 section 11).
  Response response = make_response(status, "application/json", to_text(body));
  response.headers.set("Cache-Control", "no-store");
  // A 401 says how to do better (RFC 9110 section 11.6.1).
  if (status == 401) response.headers.set("WWW-Authenticate", "Bearer realm=\"invited\"");
  return response;
}

int status_of(domain::ErrorCode code) {
  using domain::ErrorCode;
  switch (code) {
    case ErrorCode::malformed_request:
    case ErrorCode::missing_parameter:
    case ErrorCode::invalid_email_address:
    case ErrorCode::invalid_parameter:
    case ErrorCode::unknown_role:
      return 400;
    case ErrorCode::authentication_failed:
    case ErrorCode::sign_in_failed:
      return 401;
    case ErrorCode::inviter_without_access:
    case ErrorCode::role_not_allowed:
    case ErrorCode::not_allowed:
      return 403;
    case ErrorCode::unknown_person:
    case ErrorCode::link_not_valid:
    case ErrorCode::not_found:
      return 404;
    case ErrorCode::already_exists:
      return 409;
    case ErrorCode::precondition_failed:
      return 412;
    case ErrorCode::idempotency_mismatch:
      return 422;
    case ErrorCode::rate_limited:
      return 429;
    case ErrorCode::unavailable:
    case ErrorCode::outcome_unknown:
      return 503;
  }
  return 500;
}

domain::ErrorCode code_of_status(int status) {
  using domain::ErrorCode;
  switch (status) {
    case 401:
      return ErrorCode::authentication_failed;
    case 404:
      return ErrorCode::not_found;
    case 429:
      return ErrorCode::rate_limited;
    default:
      return status >= 500 ? ErrorCode::unavailable : ErrorCode::malformed_request;
  }
}

void add_retry_after(Response& response, const domain::Error& error) {
  if (error.retry_after) response.headers.set("Retry-After", std::to_string(error.retry_after->count()));
}

Json to_problem(const domain::Error& error) { return problem_body(status_of(error.code), error); }

Response make_problem(const domain::Error& error) { return problem(status_of(error.code), error); }

Response render_problem(int status, std::string_view reason, const Request&) {
  return problem(status, {code_of_status(status), std::string(reason), {}, {}});
}

std::string entity_tag(std::string_view body) {
  constexpr std::size_t kBytes = 16;  // nobody gains by a collision
  return '"' + base::to_base64url(std::string_view(base::sha256(body)).substr(0, kBytes)) + '"';
}

void answer_if_none_match(const Request& request, Response& response) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (!reads || response.status != 200 ||
      !any_names_tag(request.headers, "If-None-Match", response.headers.get("ETag"), /*weak=*/true))
    return;
  response.status = 304;
  response.body.clear();
}

void add_entity_tag(const Request& request, Response& response) {
  response.headers.set("ETag", entity_tag(response.body));
  answer_if_none_match(request, response);
}

bool if_match_holds(const Request& request, std::string_view tag) {
  return !request.headers.find("If-Match") || any_names_tag(request.headers, "If-Match", tag, /*weak=*/false);
}

}  // namespace invited::http
