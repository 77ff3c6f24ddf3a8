// What an invitee sees: the invitation behind a link, sign-up or sign-in, accepting, declining, a fresh link. Looking
// (GET, HEAD) changes nothing; everything else is a POST of a form of ours. The rules are in domain/answer_invitation;
// here is only what a page says about them. No query parameter means anything. Handlers are const and run on many
// threads at once.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "domain/answer_invitation.h"
#include "http/csrf.h"
#include "http/html.h"
#include "http/message.h"

namespace invited::http {

class FormState;
class Router;

class InvitationPages {
 public:
  /// `context` must outlive it. `csrf_key`: 32 bytes used for nothing else.
  InvitationPages(domain::Context& context, std::shared_ptr<const PageRenderer> renderer, base::Secret csrf_key);

  /// GET /i/{token}. 200 where it can be answered; else 404 and, whatever the reason, a body of the same size.
  Response show(const Request& request) const;
  /// POST /i/{token}/accept: `name`, `password`, `password_again` (sign-up) or `password` (sign-in), and `csrf`.
  /// 200 done, also where it was before with the same password; 422 form again; 403 not from our form, or one that is
  /// out of date (again, with what was typed), or a disabled account's; 404 the link is good for nothing; 429; 503.
  Response accept(const Request& request) const;
  /// POST /i/{token}/decline: `csrf`.
  Response decline(const Request& request) const;
  /// POST /i/{token}/fresh: `csrf`. For an expired link.
  Response send_fresh_link(const Request& request) const;
  /// GET of one of the three above, as after a restart of the browser, or with a slash at the end: leads to the link's
  /// page (303).
  Response lead_back(const Request& request) const;

  const std::shared_ptr<const PageRenderer>& renderer() const { return renderer_; }

 private:
  Response show_link(const Request& request, std::string_view token, const FormState& state,
                     std::optional<std::string_view> name) const;
  Response show_answered(const Request& request, const domain::AcceptInvitation& answer,
                         const domain::InvitationView& view) const;
  Response show_state(const Request& request, std::string_view token, const domain::InvitationView& view,
                      const FormState& state) const;
  Response show_form(const Request& request, std::string_view token, const domain::InvitationView& view,
                     const FormState& state, std::string_view name) const;
  Response show_outcome(const Request& request, std::string_view template_name, const domain::InvitationView& view,
                        int status = 200) const;
  Response show_refusal(const Request& request, std::string_view token, const domain::Error& error) const;

  domain::Context& context_;
  std::shared_ptr<const PageRenderer> renderer_;
  CsrfGuard csrf_;
};

/// Registers the routes above; they keep the pages alive.
void add_invitation_routes(Router& router, std::shared_ptr<const InvitationPages> pages);

/// Every English text that only this form may show beside those of its template: for the test that they are translated.
std::span<const std::string_view> invitation_texts();

}  // namespace invited::http
