// What pages with forms share where nothing can be done with a request: one page for each reason, with a way back.
// Thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "domain/error.h"
#include "http/csrf.h"
#include "http/form.h"
#include "http/html.h"

namespace invited::http {

class FormState;

/// The page of `template_name`, with a button that leads to `back`, a path behind the base path; none where it is
/// empty.
Response problem_page(const PageRenderer& renderer, const Request& request, int status, std::string_view template_name,
                      std::string_view back);

/// What the domain refuses, where no form says it. A link_not_valid is 404.
Response refusal_page(const PageRenderer& renderer, const Request& request, const domain::Error& error,
                      std::string_view back);

/// Shows a form again as that state says, with what was typed, but no password.
using ShowFormAgain = std::function<Response(const FormState&)>;

/// Nothing where the form is one of ours about `subject`; else the answer to give. `show_again`: for a form of ours
/// that is out of date; without, that is a page with a way back.
std::optional<Response> refuse_foreign_form(const PageRenderer& renderer, const CsrfGuard& csrf, const Request& request,
                                            const std::optional<Form>& form, std::string_view subject,
                                            std::string_view back, const ShowFormAgain& show_again = {});

/// 303 to a path of ours behind the base path.
Response lead_to(const PageRenderer& renderer, std::string_view path);

}  // namespace invited::http
