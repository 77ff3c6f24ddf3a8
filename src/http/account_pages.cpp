#include "http/account_pages.h"

#include <array>
#include <optional>
#include <utility>

#include "base/utf8.h"
#include "domain/session.h"
#include "http/form.h"
#include "http/form_state.h"
#include "http/path_token.h"
#include "http/profile_page.h"
#include "http/refusal_pages.h"
#include "http/router.h"
#include "http/session_cookie.h"

namespace invited::http {
namespace {

using domain::ErrorCode;

constexpr std::string_view kSignIn = "/sign-in";
constexpr std::string_view kSignOut = "/sign-out";
constexpr std::string_view kProfile = "/profile";  // the form that signs out stands there
constexpr std::string_view kForgotPassword = "/forgot-password";
constexpr std::string_view kResetPassword = "/reset-password";
constexpr std::string_view kPasswordSet = "/password-set";

constexpr std::string_view kAddressMissing = "Enter your e-mail address.";
constexpr std::string_view kAddressNotUsable = "Write the e-mail address as name@example.org.";
constexpr std::string_view kSignInFailed = "The e-mail address or the password is not right. Try again.";

constexpr std::array kTexts{kAddressMissing, kAddressNotUsable, kSignInFailed};

/// The fields of each form from top to bottom.
constexpr std::array<std::string_view, 2> kSignInFields{"email", "password"};
constexpr std::array<std::string_view, 1> kForgotPasswordFields{"email"};
constexpr std::array<std::string_view, 2> kResetPasswordFields{"password", "password_again"};

/// What the form is about, for its CSRF value: the page's path, as for the other forms.
std::string reset_subject(std::string_view token) { return std::string(kResetPassword) + '/' + std::string(token); }

/// With a token that cannot be ours the way back leads to a new link.
std::string reset_path(std::string_view token) {
  return token.empty() ? std::string(kForgotPassword) : reset_subject(token);
}

}  // namespace

AccountPages::AccountPages(domain::Context& context, std::shared_ptr<const PageRenderer> renderer,
                           base::Secret csrf_key)
    : context_(context), renderer_(std::move(renderer)), csrf_(std::move(csrf_key), renderer_->origin()) {}

// --- sign-in and sign-out ------------------------------------------------------------------------------------------

Response AccountPages::show_sign_in(const Request& request) const {
  const auto person = domain::find_signed_in(session_token_of(request), context_);
  if (!person) return refusal_page(*renderer_, request, person.error(), kSignIn);
  if (*person) return lead_to(*renderer_, kProfile);
  return sign_in_form(request, {}, {});
}

Response AccountPages::sign_in(const Request& request) const {
  const std::optional<Form> form = parse_form(request);
  const std::string_view email = form ? base::trim(form->get("email")) : std::string_view{};
  const auto show_again = [&](const FormState& state) { return sign_in_form(request, state, email); };
  if (auto refusal = refuse_foreign_form(*renderer_, csrf_, request, form, kSignIn, kSignIn, show_again))
    return std::move(*refusal);
  FormState state;
  if (email.empty()) state.add_error("email", std::string(kAddressMissing));
  state.check_password(form->get("password"));
  if (!state.is_clean()) return sign_in_form(request, state, email);

  const auto session = domain::sign_in({.email = std::string(email),
                                        .password = base::Secret(form->get("password")),
                                        .client_address = request.client_address,
                                        .previous_token = std::string(session_token_of(request))},
                                       context_);
  if (session) {
    Response response = lead_to(*renderer_, kProfile);
    response.headers.add("Set-Cookie", set_session_cookie(request, *session, context_.clock.now()));
    response.headers.add("Set-Cookie", csrf_.renew(request, kSignIn).set_cookie);
    return response;
  }
  if (session.error().code == ErrorCode::sign_in_failed) state.add_error("password", std::string(kSignInFailed));
  if (!state.is_clean() || state.take(session.error())) return sign_in_form(request, state, email);
  return refusal_page(*renderer_, request, session.error(), kSignIn);
}

Response AccountPages::sign_out(const Request& request) const {
  if (auto refusal = refuse_foreign_form(*renderer_, csrf_, request, parse_form(request), kProfile, kProfile))
    return std::move(*refusal);
  const auto done = domain::sign_out(session_token_of(request), context_);
  if (!done) return refusal_page(*renderer_, request, done.error(), kProfile);
  Response response = renderer_->render(request, {.status = 200, .template_name = "signed_out.html"}, {});
  response.headers.add("Set-Cookie", clear_session_cookie(request));
  response.headers.add("Set-Cookie", csrf_.renew(request, kProfile).set_cookie);
  return response;
}

Response AccountPages::sign_in_form(const Request& request, const FormState& state, std::string_view email) const {
  const CsrfTicket ticket = csrf_.issue(request, kSignIn);
  PageData data;
  data.text("email", std::string(email)).text("csrf", ticket.form_value);
  state.put_into(data, renderer_->language_of(request), kSignInFields);
  Response response = renderer_->render(
      request, {.status = state.status(), .template_name = "sign_in.html", .script = "password.js"}, std::move(data));
  response.headers.add("Set-Cookie", ticket.set_cookie);
  state.put_into(response);
  return response;
}

// --- a forgotten password --------------------------------------------------------------------------------------------

Response AccountPages::show_forgot_password(const Request& request) const {
  return forgot_password_form(request, {}, {});
}

Response AccountPages::forgot_password(const Request& request) const {
  const std::optional<Form> form = parse_form(request);
  const std::string_view email = form ? base::trim(form->get("email")) : std::string_view{};
  const auto show_again = [&](const FormState& state) { return forgot_password_form(request, state, email); };
  if (auto refusal =
          refuse_foreign_form(*renderer_, csrf_, request, form, kForgotPassword, kForgotPassword, show_again))
    return std::move(*refusal);
  FormState state;
  if (email.empty()) {
    state.add_error("email", std::string(kAddressMissing));
    return forgot_password_form(request, state, email);
  }
  const auto asked =
      domain::request_password_reset(email, renderer_->language_of(request), request.client_address, context_);
  if (asked) {
    PageData data;
    data.text("email", std::string(email));
    return renderer_->render(request, {.status = 200, .template_name = "forgot_password_sent.html"}, std::move(data));
  }
  if (asked.error().code == ErrorCode::invalid_email_address) state.add_error("email", std::string(kAddressNotUsable));
  if (!state.is_clean() || state.take(asked.error())) return forgot_password_form(request, state, email);
  return refusal_page(*renderer_, request, asked.error(), kForgotPassword);
}

Response AccountPages::forgot_password_form(const Request& request, const FormState& state,
                                            std::string_view email) const {
  const CsrfTicket ticket = csrf_.issue(request, kForgotPassword);
  PageData data;
  data.text("email", std::string(email)).text("csrf", ticket.form_value);
  state.put_into(data, renderer_->language_of(request), kForgotPasswordFields);
  Response response =
      renderer_->render(request, {.status = state.status(), .template_name = "forgot_password.html"}, std::move(data));
  response.headers.add("Set-Cookie", ticket.set_cookie);
  state.put_into(response);
  return response;
}

Response AccountPages::show_reset_password(const Request& request) const {
  return reset_page(request, {}, path_token_of(request));
}

Response AccountPages::reset_page(const Request& request, const FormState& state, std::string_view token) const {
  const auto email = domain::view_password_reset(token, request.client_address, context_);
  if (!email) return refusal_page(*renderer_, request, email.error(), reset_path(token));
  return *email ? reset_password_form(request, state, token, **email) : reset_link_wrong(request);
}

Response AccountPages::reset_password(const Request& request) const {
  const std::string_view token = path_token_of(request);
  const std::optional<Form> form = parse_form(request);
  const auto show_again = [&](const FormState& state) { return reset_page(request, state, token); };
  if (auto refusal =
          refuse_foreign_form(*renderer_, csrf_, request, form, reset_subject(token), reset_path(token), show_again))
    return std::move(*refusal);
  const domain::ResetPassword reset{.token = std::string(token),
                                    .password = base::Secret(form->get("password")),
                                    .password_again = base::Secret(form->get("password_again")),
                                    .client_address = request.client_address};
  const auto email = domain::view_password_reset(token, request.client_address, context_);
  if (!email) return refusal_page(*renderer_, request, email.error(), reset_path(token));
  if (!*email) return used_reset_link(request, reset);

  FormState state;
  state.check_new_password(form->get("password"), form->get("password_again"));
  if (!state.is_clean()) return reset_password_form(request, state, token, **email);
  const auto done = domain::reset_password(reset, context_);
  // To a page of its own: reloading it sends nothing again.
  if (done) return lead_to(*renderer_, kPasswordSet);
  if (done.error().code == ErrorCode::link_not_valid) return used_reset_link(request, reset);
  if (state.take(done.error())) return reset_password_form(request, state, token, **email);
  return refusal_page(*renderer_, request, done.error(), reset_path(token));
}

Response AccountPages::reset_password_form(const Request& request, const FormState& state, std::string_view token,
                                           const std::string& email) const {
  const CsrfTicket ticket = csrf_.issue(request, reset_subject(token));
  PageData data;
  data.text("email", email).text("token", std::string(token)).text("csrf", ticket.form_value);
  state.put_into(data, renderer_->language_of(request), kResetPasswordFields);
  Response response = renderer_->render(
      request, {.status = state.status(), .template_name = "reset_password.html", .script = "password.js"},
      std::move(data));
  response.headers.add("Set-Cookie", ticket.set_cookie);
  state.put_into(response);
  return response;
}

/// A form that was sent twice, by a double click, is answered as the first time.
Response AccountPages::used_reset_link(const Request& request, const domain::ResetPassword& reset) const {
  return domain::was_reset_to(reset, context_) ? lead_to(*renderer_, kPasswordSet) : reset_link_wrong(request);
}

Response AccountPages::lead_to_reset_password(const Request& request) const {
  const std::string_view token = path_token_of(request);
  return token.empty() ? show_reset_password(request) : lead_to(*renderer_, reset_subject(token));
}

Response AccountPages::show_password_set(const Request& request) const {
  return renderer_->render(request, {.status = 200, .template_name = "password_set.html"}, {});
}

/// One page for all of them: it says nothing about an account.
Response AccountPages::reset_link_wrong(const Request& request) const {
  return renderer_->render(request, {.status = 404, .template_name = "reset_link_wrong.html"}, {});
}

// --- the address of an OpenID ----------------------------------------------------------------------------------------

Response AccountPages::show_id(const Request& request) const {
  return renderer_->render(request, {.status = 200, .template_name = "id.html"}, {});
}

void add_account_routes(Router& router, domain::Context& context, std::shared_ptr<const PageRenderer> renderer,
                        const base::Secret& csrf_key) {
  const auto pages = std::make_shared<const AccountPages>(context, renderer, csrf_key);
  using Page = Response (AccountPages::*)(const Request&) const;
  const auto handler = [&pages](Page page) -> Handler {
    return [pages, page](const Request& request) { return (*pages.*page)(request); };
  };
  RouteOptions page;
  page.error_renderer = page_error_renderer(renderer);
  RouteOptions form = page;
  form.max_body = kMaxFormBody;
  form.content_types = {"application/x-www-form-urlencoded"};
  RouteOptions password_form = form;
  password_form.hashes_passwords = true;
  router.add("GET", std::string(kSignIn), handler(&AccountPages::show_sign_in), page);
  router.add("POST", std::string(kSignIn), handler(&AccountPages::sign_in), password_form);
  router.add("POST", std::string(kSignOut), handler(&AccountPages::sign_out), form);
  // As after a restart of the browser.
  router.add("GET", std::string(kSignOut), [renderer](const Request&) { return lead_to(*renderer, kProfile); }, page);
  router.add("GET", std::string(kForgotPassword), handler(&AccountPages::show_forgot_password), page);
  router.add("POST", std::string(kForgotPassword), handler(&AccountPages::forgot_password), form);
  router.add("GET", "/reset-password/{token}", handler(&AccountPages::show_reset_password), page);
  router.add("POST", "/reset-password/{token}", handler(&AccountPages::reset_password), password_form);
  // Some programs write a slash behind a link.
  router.add("GET", "/reset-password/{token}/", handler(&AccountPages::lead_to_reset_password), page);
  router.add("GET", std::string(kPasswordSet), handler(&AccountPages::show_password_set), page);
  router.add("GET", "/id", handler(&AccountPages::show_id), page);
  add_profile_routes(router, context, std::move(renderer), csrf_key);
}

std::span<const std::string_view> account_texts() { return kTexts; }

}  // namespace invited::http
