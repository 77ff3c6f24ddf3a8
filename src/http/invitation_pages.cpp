#include "http/invitation_pages.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/translation.h"
#include "base/utf8.h"
#include "domain/app.h"
#include "domain/web_url.h"
#include "http/form.h"
#include "http/form_state.h"
#include "http/path_token.h"
#include "http/refusal_pages.h"
#include "http/router.h"

namespace invited::http {
namespace {

using domain::ErrorCode;
using domain::InvitationView;
using domain::LinkState;

/// All pages about links that cannot be answered are this long, so that their size tells nothing (T04).
constexpr std::size_t kLinkPageSize = 8192;

constexpr std::string_view kPasswordWrong = "The password is not right. Try again.";
constexpr std::string_view kChanged = "Something changed in the meantime. Please try again.";

constexpr std::array kTexts{kPasswordWrong, kChanged};

/// The form's fields from top to bottom.
constexpr std::array<std::string_view, 3> kFields{"name", "password", "password_again"};

std::string path_of(std::string_view token) { return token.empty() ? std::string() : "/i/" + std::string(token); }

PageData data_of(const InvitationView& view, base::Language language) {
  PageData data;
  data.text("inviter", view.inviter_name)
      .text("app", view.app_name)
      .text("role", domain::with_commas(view.role_name))
      .flag("several_roles", domain::are_several(view.role_name))
      .text("email", view.invitee_email)
      .text("expires", base::date_and_time_in_words(language, view.expires_at))
      .text("expires_machine", base::to_rfc3339(view.expires_at));
  // Never javascript: or data:.
  if (domain::is_web_url(view.app_url)) data.text("app_url", view.app_url);
  return data;
}

std::string_view template_of(const InvitationView& view) {
  switch (view.link) {
    case LinkState::open:
      return "invitation.html";
    case LinkState::wrong:
      return "link_wrong.html";
    case LinkState::superseded:
      return "link_superseded.html";
    case LinkState::accepted:
      return view.has_access ? "link_accepted.html" : "link_without_access.html";
    case LinkState::declined:
      return "link_declined.html";
    case LinkState::revoked:
      return "link_revoked.html";
    case LinkState::expired:
      return "link_expired.html";
  }
  return "link_wrong.html";
}

}  // namespace

InvitationPages::InvitationPages(domain::Context& context, std::shared_ptr<const PageRenderer> renderer,
                                 base::Secret csrf_key)
    : context_(context), renderer_(std::move(renderer)), csrf_(std::move(csrf_key), renderer_->origin()) {}

Response InvitationPages::show(const Request& request) const {
  return show_link(request, path_token_of(request), {}, std::nullopt);
}

Response InvitationPages::accept(const Request& request) const {
  const std::string_view token = path_token_of(request);
  const std::optional<Form> form = parse_form(request);
  const auto show_again = [&](const FormState& state) { return show_link(request, token, state, form->get("name")); };
  if (auto refusal = refuse_foreign_form(*renderer_, csrf_, request, form, token, path_of(token), show_again))
    return std::move(*refusal);
  const domain::AcceptInvitation answer{.token = std::string(token),
                                        .name = std::string(form->get("name")),
                                        .password = base::Secret(form->get("password")),
                                        .password_again = base::Secret(form->get("password_again")),
                                        .client_address = request.client_address};

  const auto view = domain::view_invitation(token, request.client_address, context_);
  if (!view) return show_refusal(request, token, view.error());
  if (view->link != LinkState::open) return show_answered(request, answer, *view);

  FormState state;
  if (view->signs_in) {
    state.check_password(form->get("password"));
  } else {
    state.check_name(form->get("name"));
    state.check_new_password(form->get("password"), form->get("password_again"));
  }
  if (!state.is_clean()) return show_form(request, token, *view, state, form->get("name"));

  const auto accepted = domain::accept_invitation(answer, context_);
  if (accepted) return show_outcome(request, "accepted.html", *accepted);
  if (accepted.error().code == ErrorCode::not_allowed)
    return show_outcome(request, "account_disabled.html", *view, /*status=*/403);
  if (accepted.error().code == ErrorCode::link_not_valid) {
    const auto now = domain::view_invitation(token, request.client_address, context_);
    if (!now) return show_refusal(request, token, now.error());
    if (now->link != LinkState::open) return show_answered(request, answer, *now);
    state.set_notice(409, kChanged);  // the account was changed or disabled between the look and the transaction
    return show_form(request, token, *now, state, form->get("name"));
  }
  if (accepted.error().code == ErrorCode::sign_in_failed) state.add_error("password", std::string(kPasswordWrong));
  if (!state.is_clean() || state.take(accepted.error()))
    return show_form(request, token, *view, state, form->get("name"));
  return show_refusal(request, token, accepted.error());
}

Response InvitationPages::decline(const Request& request) const {
  const std::string_view token = path_token_of(request);
  const auto show_again = [&](const FormState& state) { return show_link(request, token, state, std::nullopt); };
  if (auto refusal =
          refuse_foreign_form(*renderer_, csrf_, request, parse_form(request), token, path_of(token), show_again))
    return std::move(*refusal);
  const auto declined = domain::decline_invitation(token, request.client_address, context_);
  if (declined) return show_outcome(request, "declined.html", *declined);
  if (declined.error().code == ErrorCode::link_not_valid) return show(request);
  return show_refusal(request, token, declined.error());
}

Response InvitationPages::send_fresh_link(const Request& request) const {
  const std::string_view token = path_token_of(request);
  const auto show_again = [&](const FormState& state) { return show_link(request, token, state, std::nullopt); };
  if (auto refusal =
          refuse_foreign_form(*renderer_, csrf_, request, parse_form(request), token, path_of(token), show_again))
    return std::move(*refusal);
  const auto view = domain::view_invitation(token, request.client_address, context_);
  if (!view) return show_refusal(request, token, view.error());
  const auto sent = domain::request_fresh_link(token, request.client_address, context_);
  if (sent) return show_outcome(request, "fresh_link_sent.html", *view);
  if (sent.error().code == ErrorCode::link_not_valid) return show(request);
  return show_refusal(request, token, sent.error());
}

Response InvitationPages::lead_back(const Request& request) const {
  const std::string_view token = path_token_of(request);
  return token.empty() ? show(request) : lead_to(*renderer_, path_of(token));
}

Response InvitationPages::show_link(const Request& request, std::string_view token, const FormState& state,
                                    std::optional<std::string_view> name) const {
  const auto view = domain::view_invitation(token, request.client_address, context_);
  if (!view) return show_refusal(request, token, view.error());
  if (view->link == LinkState::open) return show_form(request, token, *view, state, name.value_or(view->known_name));
  return show_state(request, token, *view, view->link == LinkState::expired ? state : FormState());
}

/// What was sent twice, by a double click or a reload, is answered as the first time.
Response InvitationPages::show_answered(const Request& request, const domain::AcceptInvitation& answer,
                                        const InvitationView& view) const {
  if (view.link == LinkState::accepted)
    if (const auto again = domain::find_accepted(answer, context_))
      return show_outcome(request, "accepted.html", *again);
  return show_state(request, answer.token, view, {});
}

Response InvitationPages::show_state(const Request& request, std::string_view token, const InvitationView& view,
                                     const FormState& state) const {
  // All of them carry a cookie, though one only has a form: the header must not tell them apart either.
  const CsrfTicket ticket = csrf_.issue(request, token);
  const base::Language language = renderer_->language_of(request);
  PageData data = data_of(view, language);
  data.text("token", std::string(token))
      .text("csrf", ticket.form_value)
      .flag("has_access", view.has_access)
      .flag("is_replaced", view.is_replaced);
  if (view.newer_mail_due) {
    const auto due = std::max(*view.newer_mail_due, context_.clock.now());
    data.text("due", base::date_and_time_in_words(language, due)).text("due_machine", base::to_rfc3339(due));
  }
  state.put_into(data, language, {});
  Response response = renderer_->render(request,
                                        {.status = state.is_clean() ? 404 : state.status(),
                                         .template_name = template_of(view),
                                         .padded_size = kLinkPageSize},
                                        std::move(data));
  response.headers.add("Set-Cookie", ticket.set_cookie);
  return response;
}

Response InvitationPages::show_form(const Request& request, std::string_view token, const InvitationView& view,
                                    const FormState& state, std::string_view name) const {
  const base::Language language = renderer_->language_of(request);
  const CsrfTicket ticket = csrf_.issue(request, token);
  PageData data = data_of(view, language);
  data.text("token", std::string(token))
      .text("csrf", ticket.form_value)
      .text("monogram", base::truncate_code_points(base::trim(view.app_name), 1))
      .text("name", std::string(name))
      .flag("signs_in", view.signs_in)
      .flag("needs_password", view.needs_password);
  state.put_into(data, language, kFields);

  Response response = renderer_->render(
      request, {.status = state.status(), .template_name = "invitation.html", .script = "password.js"},
      std::move(data));
  response.headers.add("Set-Cookie", ticket.set_cookie);
  state.put_into(response);
  return response;
}

Response InvitationPages::show_outcome(const Request& request, std::string_view template_name,
                                       const InvitationView& view, int status) const {
  return renderer_->render(request, {.status = status, .template_name = template_name},
                           data_of(view, renderer_->language_of(request)));
}

Response InvitationPages::show_refusal(const Request& request, std::string_view token,
                                       const domain::Error& error) const {
  if (error.code == ErrorCode::link_not_valid) return show_state(request, token, {}, {});
  return refusal_page(*renderer_, request, error, path_of(token));
}

void add_invitation_routes(Router& router, std::shared_ptr<const InvitationPages> pages) {
  using Page = Response (InvitationPages::*)(const Request&) const;
  const auto handler = [&pages](Page page) -> Handler {
    return [pages, page](const Request& request) { return (*pages.*page)(request); };
  };
  RouteOptions page;
  page.error_renderer = page_error_renderer(pages->renderer());
  RouteOptions form = page;
  form.max_body = kMaxFormBody;
  form.content_types = {"application/x-www-form-urlencoded"};
  RouteOptions password_form = form;
  password_form.hashes_passwords = true;
  router.add("GET", "/i/{token}", handler(&InvitationPages::show), page);
  // Some programs write a slash behind a link.
  router.add("GET", "/i/{token}/", handler(&InvitationPages::lead_back), page);
  router.add("POST", "/i/{token}/accept", handler(&InvitationPages::accept), password_form);
  router.add("POST", "/i/{token}/decline", handler(&InvitationPages::decline), form);
  router.add("POST", "/i/{token}/fresh", handler(&InvitationPages::send_fresh_link), form);
  for (const std::string_view action : {"accept", "decline", "fresh"})
    router.add("GET", "/i/{token}/" + std::string(action), handler(&InvitationPages::lead_back), page);
}

std::span<const std::string_view> invitation_texts() { return kTexts; }

}  // namespace invited::http
