#include "http/invitation_pages.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "base/translation.h"
#include "base/utf8.h"
#include "domain/password.h"
#include "domain/person_name.h"
#include "http/form.h"
#include "http/router.h"

namespace invited::http {
namespace {

using domain::ErrorCode;
using domain::InvitationView;
using domain::LinkState;

/// All pages about links that cannot be answered are this long, so that their size tells nothing (T04).
constexpr std::size_t kLinkPageSize = 8192;

constexpr std::string_view kNameMissing = "Enter your name.";
constexpr std::string_view kNameTooLong = "Use at most 128 characters for your name.";
constexpr std::string_view kNameNotUsable = "Write your name without web addresses, @ signs and special characters.";
constexpr std::string_view kPasswordMissing = "Enter a password.";
constexpr std::string_view kPasswordTooShort = "Use a password of at least 15 characters.";
constexpr std::string_view kPasswordTooLong = "Use a password of at most 128 characters.";
constexpr std::string_view kPasswordWrong = "The password is not right. Try again.";
constexpr std::string_view kPasswordsDiffer = "The two passwords differ. Type the same one twice.";
constexpr std::string_view kWait = "Too many attempts. Nothing has been changed. Wait a minute and try again.";
constexpr std::string_view kBusy = "The service is busy. Nothing has been changed. Try again in a minute.";
constexpr std::string_view kChanged = "Something changed in the meantime. Please try again.";

constexpr std::array kFormTexts{
    kNameMissing, kNameTooLong, kNameNotUsable, kPasswordMissing, kPasswordTooShort, kPasswordTooLong, kPasswordWrong,
    kPasswordsDiffer, kWait, kBusy, kChanged,
    // domain/password.cpp says these.
    std::string_view("This password holds characters that cannot be used. Choose another one."),
    std::string_view("This password is made of your name, your address or the app's name. "
                     "Choose another one."),
    std::string_view("This password is too easy to guess. Use several words that do not "
                     "belong together.")};

/// The token as it may stand in a link of ours; empty for everything else.
std::string_view token_of(const Request& request) {
  const std::string_view token = request.path_parameter("token");
  const bool plain = std::all_of(token.begin(), token.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  return plain && token.size() <= 128 ? token : std::string_view{};
}

/// An app's URL may be a link only where it is one of the web: never javascript: or data:.
bool is_web_url(std::string_view url) { return url.starts_with("https://") || url.starts_with("http://"); }

PageData data_of(const InvitationView& view, base::Language language) {
  PageData data;
  data.text("inviter", view.inviter_name)
      .text("app", view.app_name)
      .text("role", view.role_name)
      .text("email", view.invitee_email)
      .text("expires", base::date_and_time_in_words(language, view.expires_at))
      .text("expires_machine", base::to_rfc3339(view.expires_at));
  if (is_web_url(view.app_url)) data.text("app_url", view.app_url);
  return data;
}

std::string_view template_of(LinkState state) {
  switch (state) {
    case LinkState::open:
      return "invitation.html";
    case LinkState::wrong:
      return "link_wrong.html";
    case LinkState::superseded:
      return "link_superseded.html";
    case LinkState::accepted:
      return "link_accepted.html";
    case LinkState::declined:
      return "link_declined.html";
    case LinkState::revoked:
      return "link_revoked.html";
    case LinkState::expired:
      return "link_expired.html";
  }
  return "link_wrong.html";
}

std::string retry_after(const domain::Error& error) {
  return std::to_string(error.retry_after.value_or(std::chrono::seconds(60)).count());
}

}  // namespace

/// The form as it is shown again: what was typed (never a password) and what is wrong with it.
struct InvitationPages::FormState {
  int status = 200;
  std::string name;
  std::string name_error;  ///< English msgids, or empty
  std::string password_error;
  std::string password_again_error;
  std::string_view notice;  ///< about the whole
  std::string retry_after;

  bool has_field_errors() const {
    return !name_error.empty() || !password_error.empty() || !password_again_error.empty();
  }

  /// What can be told without asking the database and without the cost of hashing: all of it at once.
  void check_sign_up(std::string_view typed_name, std::string_view password, std::string_view again) {
    if (const auto parsed = domain::parse_name(typed_name, "Name"); !parsed) {
      const bool blank = base::trim(typed_name).empty();
      const bool too_long = base::count_code_points(base::trim(typed_name)) > domain::kMaxNameLength;
      name_error = blank ? kNameMissing : too_long ? kNameTooLong : kNameNotUsable;
    }
    const base::Secret normal(base::to_nfc(password));
    const std::size_t length = base::count_code_points(normal.reveal());
    if (length == 0) {
      password_error = kPasswordMissing;
    } else if (length < domain::kMinPasswordLength) {
      password_error = kPasswordTooShort;
    } else if (length > domain::kMaxPasswordLength) {
      password_error = kPasswordTooLong;
    } else if (!base::constant_time_equal(password, again)) {
      password_again_error = kPasswordsDiffer;
    }
  }

  /// Puts a refusal of the domain where it belongs; false where it is none of the form's.
  bool take(const domain::Error& error) {
    switch (error.code) {
      case ErrorCode::invalid_parameter:
        status = 422;
        if (error.parameter == "Name") {
          name_error = kNameNotUsable;
        } else if (error.parameter == "PasswordAgain") {
          password_again_error = kPasswordsDiffer;
        } else {
          password_error = error.message;
        }
        return true;
      case ErrorCode::sign_in_failed:
        status = 422;
        password_error = kPasswordWrong;
        return true;
      case ErrorCode::rate_limited:
        status = 429;
        notice = kWait;
        retry_after = http::retry_after(error);
        return true;
      case ErrorCode::unavailable:
        status = 503;
        notice = kBusy;
        retry_after = http::retry_after(error);
        return true;
      case ErrorCode::malformed_request:
      case ErrorCode::authentication_failed:
      case ErrorCode::missing_parameter:
      case ErrorCode::invalid_email_address:
      case ErrorCode::inviter_without_access:
      case ErrorCode::unknown_role:
      case ErrorCode::unknown_person:
      case ErrorCode::unknown_person:
    case ErrorCode::idempotency_mismatch:
      case ErrorCode::outcome_unknown:
      case ErrorCode::link_not_valid:
      case ErrorCode::already_exists:
      case ErrorCode::not_found:
        return false;
    }
    return false;
  }
};

InvitationPages::InvitationPages(domain::Context& context, std::shared_ptr<const PageRenderer> renderer,
                                 base::Secret csrf_key)
    : context_(context), renderer_(std::move(renderer)), csrf_(std::move(csrf_key), renderer_->origin()) {}

Response InvitationPages::show(const Request& request) const {
  const std::string_view token = token_of(request);
  const auto view = domain::view_invitation(token, request.client_address, context_);
  if (!view) return show_refusal(request, token, view.error());
  return show_state(request, token, *view);
}

Response InvitationPages::accept(const Request& request) const {
  const std::string_view token = token_of(request);
  const std::optional<Form> form = parse_form(request);
  if (auto refusal = refuse_foreign(request, token, form)) return std::move(*refusal);

  const auto view = domain::view_invitation(token, request.client_address, context_);
  if (!view) return show_refusal(request, token, view.error());
  if (view->link != LinkState::open) return show_state(request, token, *view);

  FormState state;
  state.name = form->get("name");
  if (!view->signs_in) {
    state.check_sign_up(form->get("name"), form->get("password"), form->get("password_again"));
  } else if (form->get("password").empty()) {
    state.password_error = kPasswordMissing;
  }
  if (state.has_field_errors()) {
    state.status = 422;
    return show_form(request, token, *view, state);
  }

  const auto accepted = domain::accept_invitation({.token = std::string(token),
                                                   .name = std::string(form->get("name")),
                                                   .password = base::Secret(form->get("password")),
                                                   .password_again = base::Secret(form->get("password_again")),
                                                   .client_address = request.client_address},
                                                  context_);
  if (accepted) return show_outcome(request, "accepted.html", token, *accepted);
  if (accepted.error().code == ErrorCode::link_not_valid) {
    const auto now = domain::view_invitation(token, request.client_address, context_);
    if (!now) return show_refusal(request, token, now.error());
    if (now->link != LinkState::open) return show_state(request, token, *now);
    state.status = 409;  // the account was changed or disabled between the look and the transaction
    state.notice = kChanged;
    return show_form(request, token, *now, state);
  }
  if (state.take(accepted.error())) return show_form(request, token, *view, state);
  return show_refusal(request, token, accepted.error());
}

Response InvitationPages::decline(const Request& request) const {
  const std::string_view token = token_of(request);
  if (auto refusal = refuse_foreign(request, token, parse_form(request))) return std::move(*refusal);
  const auto declined = domain::decline_invitation(token, request.client_address, context_);
  if (declined) return show_outcome(request, "declined.html", token, *declined);
  if (declined.error().code == ErrorCode::link_not_valid) return show(request);
  return show_refusal(request, token, declined.error());
}

Response InvitationPages::send_fresh_link(const Request& request) const {
  const std::string_view token = token_of(request);
  if (auto refusal = refuse_foreign(request, token, parse_form(request))) return std::move(*refusal);
  const auto view = domain::view_invitation(token, request.client_address, context_);
  if (!view) return show_refusal(request, token, view.error());
  const auto sent = domain::request_fresh_link(token, request.client_address, context_);
  if (sent) return show_outcome(request, "fresh_link_sent.html", token, *view);
  if (sent.error().code == ErrorCode::link_not_valid) return show(request);
  return show_refusal(request, token, sent.error());
}

Response InvitationPages::lead_back(const Request& request) const {
  const std::string_view token = token_of(request);
  if (token.empty()) return show(request);
  Response response = make_response(303, "text/plain; charset=utf-8", {});
  response.headers.set("Location", renderer_->base_path() + "/i/" + std::string(token));
  response.headers.set("Cache-Control", "no-store");
  return response;
}

Response InvitationPages::show_state(const Request& request, std::string_view token, const InvitationView& view) const {
  if (view.link == LinkState::open) return show_form(request, token, view, {});
  // All of them carry a cookie, though one only has a form: the header must not tell them apart either.
  const CsrfTicket ticket = csrf_.issue(request, token);
  PageData data = data_of(view, renderer_->language_of(request));
  data.text("token", std::string(token)).text("csrf", ticket.form_value);
  Response response = renderer_->render(
      request, {.status = 404, .template_name = template_of(view.link), .padded_size = kLinkPageSize}, std::move(data));
  response.headers.add("Set-Cookie", ticket.set_cookie);
  return response;
}

Response InvitationPages::show_form(const Request& request, std::string_view token, const InvitationView& view,
                                    const FormState& state) const {
  const base::Language language = renderer_->language_of(request);
  const CsrfTicket ticket = csrf_.issue(request, token);
  PageData data = data_of(view, language);
  data.text("token", std::string(token))
      .text("csrf", ticket.form_value)
      .text("monogram", base::truncate_code_points(base::trim(view.app_name), 1))
      .text("name", state.status == 200 ? view.known_name : state.name)
      .flag("signs_in", view.signs_in)
      .flag("has_errors", state.status != 200)
      .flag("has_field_errors", state.has_field_errors());
  if (!state.notice.empty()) data.text("notice", base::translate(language, state.notice));
  std::vector<PageData> field_errors;
  for (const auto& [field, message] : {std::pair<std::string, const std::string&>{"name", state.name_error},
                                       {"password", state.password_error},
                                       {"password_again", state.password_again_error}}) {
    if (message.empty()) continue;
    const std::string translated = base::translate(language, message);
    data.text(field + "_error", translated);
    field_errors.push_back(PageData().text("field", field).text("message", translated));
  }
  data.list("field_errors", std::move(field_errors));

  Response response = renderer_->render(
      request, {.status = state.status, .template_name = "invitation.html", .script = "password.js"}, std::move(data));
  response.headers.add("Set-Cookie", ticket.set_cookie);
  if (!state.retry_after.empty()) response.headers.set("Retry-After", state.retry_after);
  return response;
}

Response InvitationPages::show_outcome(const Request& request, std::string_view template_name, std::string_view token,
                                       const InvitationView& view) const {
  Response response = renderer_->render(request, {.status = 200, .template_name = template_name},
                                        data_of(view, renderer_->language_of(request)));
  response.headers.add("Set-Cookie", csrf_.renew(request, token).set_cookie);
  return response;
}

Response InvitationPages::show_refusal(const Request& request, std::string_view token,
                                       const domain::Error& error) const {
  switch (error.code) {
    case ErrorCode::rate_limited:
    case ErrorCode::unavailable: {
      const int status = error.code == ErrorCode::rate_limited ? 429 : 503;
      Response response = renderer_->error_page(status, request);
      response.headers.set("Retry-After", retry_after(error));
      return response;
    }
    case ErrorCode::outcome_unknown:
      return problem(request, token, 503, "error_outcome_unknown.html");
    case ErrorCode::link_not_valid:
      return show_state(request, token, {});
    case ErrorCode::malformed_request:
    case ErrorCode::missing_parameter:
    case ErrorCode::invalid_email_address:
    case ErrorCode::invalid_parameter:
      return problem(request, token, 400, "error_request.html");
    case ErrorCode::authentication_failed:
    case ErrorCode::sign_in_failed:
      return problem(request, token, 403, "error_forbidden.html");
    case ErrorCode::not_found:
      return renderer_->error_page(404, request);
    case ErrorCode::inviter_without_access:
    case ErrorCode::unknown_role:
    case ErrorCode::unknown_person:
    case ErrorCode::idempotency_mismatch:
    case ErrorCode::already_exists:
      break;  // the use cases called here never say these
  }
  return renderer_->error_page(500, request);
}

std::optional<Response> InvitationPages::refuse_foreign(const Request& request, std::string_view token,
                                                        const std::optional<Form>& form) const {
  switch (csrf_.judge(request, form ? form->get("csrf") : std::string_view{}, token)) {
    case CsrfVerdict::genuine:
      return std::nullopt;
    case CsrfVerdict::no_cookie:
      return problem(request, token, 403, "cookies_needed.html");
    case CsrfVerdict::foreign:
    case CsrfVerdict::stale:
      break;
  }
  const bool readable = form.has_value();
  return problem(request, token, readable ? 403 : 400, readable ? "error_forbidden.html" : "error_request.html");
}

Response InvitationPages::problem(const Request& request, std::string_view token, int status,
                                  std::string_view template_name) const {
  PageData data;
  if (!token.empty()) data.text("back", renderer_->base_path() + "/i/" + std::string(token));
  return renderer_->render(request, {.status = status, .template_name = template_name}, std::move(data));
}

void add_invitation_routes(Router& router, std::shared_ptr<const InvitationPages> pages) {
  using Page = Response (InvitationPages::*)(const Request&) const;
  const auto handler = [&pages](Page page) -> Handler {
    return [pages, page](const Request& request) { return (*pages.*page)(request); };
  };
  RouteOptions page;
  page.error_renderer = page_error_renderer(pages->renderer());
  RouteOptions form = page;
  form.max_body = 16 * 1024;
  form.content_types = {"application/x-www-form-urlencoded"};
  router.add("GET", "/i/{token}", handler(&InvitationPages::show), page);
  router.add("POST", "/i/{token}/accept", handler(&InvitationPages::accept), form);
  router.add("POST", "/i/{token}/decline", handler(&InvitationPages::decline), form);
  router.add("POST", "/i/{token}/fresh", handler(&InvitationPages::send_fresh_link), form);
  for (const std::string_view action : {"accept", "decline", "fresh"})
    router.add("GET", "/i/{token}/" + std::string(action), handler(&InvitationPages::lead_back), page);
}

std::span<const std::string_view> form_texts() { return kFormTexts; }

}  // namespace invited::http
