// What a person says about themselves: their name and the fields of domain/profile.h that are theirs to change. The
// form is built from that table; here is only how a field is called and typed. The rules are in domain/session.
// Handlers are const and run on many threads at once.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "domain/context.h"
#include "domain/session.h"
#include "http/csrf.h"
#include "http/html.h"
#include "http/message.h"

namespace invited::http {

class Form;
class FormState;
class Router;

class ProfilePage {
 public:
  /// `context` must outlive it. `csrf_key`: 32 bytes, the same as of the other pages: they share a cookie.
  ProfilePage(domain::Context& context, std::shared_ptr<const PageRenderer> renderer, base::Secret csrf_key);

  /// GET /profile. 200; 303 to the sign-in page for who is not signed in.
  Response show(const Request& request) const;
  /// POST /profile: `name`, each own field by its name in kProfileFields, and `csrf`. 200 saved; 422 form again, with
  /// everything that is wrong and what was typed; 303 to the sign-in page for who is not signed in any more; 403; 503.
  Response save(const Request& request) const;

 private:
  Response save(const Request& request, const Form& form, FormState state) const;
  Response show_form(const Request& request, const FormState& state, const domain::SignedInPerson& person,
                     bool saved) const;

  domain::Context& context_;
  std::shared_ptr<const PageRenderer> renderer_;
  CsrfGuard csrf_;
};

void add_profile_routes(Router& router, domain::Context& context, std::shared_ptr<const PageRenderer> renderer,
                        const base::Secret& csrf_key);

/// Every English text that the form may show beside those of its template: for the test that they are translated.
std::vector<std::string> profile_texts();

}  // namespace invited::http
