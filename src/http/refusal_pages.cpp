#include "http/refusal_pages.h"

#include <utility>

#include "http/form_state.h"

namespace invited::http {

using domain::ErrorCode;

Response problem_page(const PageRenderer& renderer, const Request& request, int status, std::string_view template_name,
                      std::string_view back) {
  PageData data;
  if (!back.empty()) data.text("back", renderer.base_path() + std::string(back));
  return renderer.render(request, {.status = status, .template_name = template_name}, std::move(data));
}

Response refusal_page(const PageRenderer& renderer, const Request& request, const domain::Error& error,
                      std::string_view back) {
  switch (error.code) {
    case ErrorCode::rate_limited:
    case ErrorCode::unavailable: {
      const int status = error.code == ErrorCode::rate_limited ? 429 : 503;
      Response response = renderer.error_page(status, request);
      response.headers.set("Retry-After", retry_after(error));
      return response;
    }
    case ErrorCode::outcome_unknown:
      return problem_page(renderer, request, 503, "error_outcome_unknown.html", back);
    case ErrorCode::malformed_request:
    case ErrorCode::missing_parameter:
    case ErrorCode::invalid_email_address:
    case ErrorCode::invalid_parameter:
      return problem_page(renderer, request, 400, "error_request.html", back);
    case ErrorCode::authentication_failed:
    case ErrorCode::sign_in_failed:
      return problem_page(renderer, request, 403, "error_forbidden.html", back);
    case ErrorCode::link_not_valid:
    case ErrorCode::not_found:
      return renderer.error_page(404, request);
    case ErrorCode::inviter_without_access:
    case ErrorCode::unknown_role:
    case ErrorCode::role_not_allowed:
    case ErrorCode::not_allowed:
    case ErrorCode::precondition_failed:
    case ErrorCode::unknown_person:
    case ErrorCode::idempotency_mismatch:
    case ErrorCode::already_exists:
      break;  // the use cases behind pages never say these
  }
  return renderer.error_page(500, request);
}

std::optional<Response> refuse_foreign_form(const PageRenderer& renderer, const CsrfGuard& csrf, const Request& request,
                                            const std::optional<Form>& form, std::string_view subject,
                                            std::string_view back, const ShowFormAgain& show_again) {
  switch (csrf.judge(request, form ? form->get("csrf") : std::string_view{}, subject)) {
    case CsrfVerdict::genuine:
      return std::nullopt;
    case CsrfVerdict::no_cookie:
      return problem_page(renderer, request, 403, "cookies_needed.html", back);
    case CsrfVerdict::stale:
      if (form && show_again && csrf.is_from_here(request)) return show_again(FormState::out_of_date());
      break;
    case CsrfVerdict::foreign:
      break;
  }
  const bool readable = form.has_value();
  return problem_page(renderer, request, readable ? 403 : 400, readable ? "error_forbidden.html" : "error_request.html",
                      back);
}

Response lead_to(const PageRenderer& renderer, std::string_view path) {
  Response response = make_response(303, "text/plain; charset=utf-8", {});
  response.headers.set("Location", renderer.base_path() + std::string(path));
  response.headers.set("Cache-Control", "no-store");
  return response;
}

}  // namespace invited::http
