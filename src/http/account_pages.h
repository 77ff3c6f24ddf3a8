// What people with an account see: signing in and out, a forgotten password, and what stands at the address of an
// OpenID. Profiles are http/profile_page. The rules are in domain/session and domain/reset_password. Looking (GET,
// HEAD) changes nothing; everything else is a POST of a form of ours; no query parameter means anything, so that
// nothing can lead elsewhere. Handlers are const and run on many threads at once.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "domain/context.h"
#include "domain/reset_password.h"
#include "http/csrf.h"
#include "http/html.h"
#include "http/message.h"

namespace invited::http {

class FormState;
class Router;

class AccountPages {
 public:
  /// `context` must outlive it. `csrf_key`: 32 bytes, the same as of the other pages: they share a cookie.
  AccountPages(domain::Context& context, std::shared_ptr<const PageRenderer> renderer, base::Secret csrf_key);

  /// GET /sign-in. 200; 303 to the profile for who is signed in.
  Response show_sign_in(const Request& request) const;
  /// POST /sign-in: `email`, `password`, `csrf`. 303 to the profile, with a new session and a new CSRF cookie; 422 form
  /// again, the same for an unknown address, a wrong password and a disabled account; 403 (as with every form: again
  /// with what was typed, where it is ours and out of date); 429; 503.
  Response sign_in(const Request& request) const;
  /// POST /sign-out: `csrf`. 200, also for who is not signed in.
  Response sign_out(const Request& request) const;

  /// GET /forgot-password.
  Response show_forgot_password(const Request& request) const;
  /// POST /forgot-password: `email`, `csrf`. 200 whether the address is known or not; 422 for what is no address.
  Response forgot_password(const Request& request) const;

  /// GET /reset-password/{token}. 200; 404 for a link that is wrong, used or over.
  Response show_reset_password(const Request& request) const;
  /// POST /reset-password/{token}: `password`, `password_again`, `csrf`. 303 to the next one: done, also where it was
  /// before with the same password; 422 form again; 404.
  Response reset_password(const Request& request) const;
  /// GET /password-set. Says so to whoever asks.
  Response show_password_set(const Request& request) const;
  /// GET /reset-password/{token}/: leads to the page without the slash.
  Response lead_to_reset_password(const Request& request) const;

  /// GET /id?id=…: the default OpenID of a person is such an address. Says what that is; the same for every id.
  Response show_id(const Request& request) const;

 private:
  Response sign_in_form(const Request& request, const FormState& state, std::string_view email) const;
  Response forgot_password_form(const Request& request, const FormState& state, std::string_view email) const;
  Response reset_password_form(const Request& request, const FormState& state, std::string_view token,
                               const std::string& email) const;
  Response reset_page(const Request& request, const FormState& state, std::string_view token) const;
  Response used_reset_link(const Request& request, const domain::ResetPassword& reset) const;
  Response reset_link_wrong(const Request& request) const;

  domain::Context& context_;
  std::shared_ptr<const PageRenderer> renderer_;
  CsrfGuard csrf_;
};

/// Registers the routes above and those of the profile (http/profile_page).
void add_account_routes(Router& router, domain::Context& context, std::shared_ptr<const PageRenderer> renderer,
                        const base::Secret& csrf_key);

/// Every English text that these forms may show beside those of their templates: for the test that they are translated.
std::span<const std::string_view> account_texts();

}  // namespace invited::http
