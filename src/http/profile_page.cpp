#include "http/profile_page.h"

#include <array>
#include <optional>
#include <utility>

#include "base/translation.h"
#include "base/utf8.h"
#include "http/form.h"
#include "http/form_state.h"
#include "http/refusal_pages.h"
#include "http/router.h"
#include "http/session_cookie.h"

namespace invited::http {
namespace {

using domain::ErrorCode;
using domain::kProfileFields;
using domain::ProfileField;
using domain::ProfileFieldDescription;
using domain::ProfileFieldForm;

constexpr std::string_view kProfile = "/profile";
constexpr std::string_view kSignIn = "/sign-in";

/// Every field at its full length in letters of four bytes, each of them percent-encoded as browsers send it.
constexpr std::size_t kMaxProfileBody = 64 * 1024;

constexpr std::string_view kTooLong = "Use at most {count} characters.";

/// How fields stand together.
constexpr std::array<std::string_view, 4> kGroups{"Your work", "Where you are", "How to reach you", "About you"};

/// How a field is shown. `autocomplete` as in the HTML standard; empty where it knows no word for it.
struct FieldText {
  std::size_t group;
  std::string_view label;
  std::string_view autocomplete;
};

FieldText text_of(ProfileField field) {
  switch (field) {
    case ProfileField::job_title:
      return {0, "Job title", "organization-title"};
    case ProfileField::department:
      return {0, "Department", ""};
    case ProfileField::company:
      return {0, "Company", "organization"};
    case ProfileField::company_id:
      return {0, "Company number", ""};
    case ProfileField::location:
      return {1, "Town or city", "address-level2"};
    case ProfileField::country:
      return {1, "Country", "country-name"};
    case ProfileField::phone:
      return {2, "Phone", "tel"};
    case ProfileField::website:
      return {2, "Website", "url"};
    case ProfileField::linkedin:
      return {2, "LinkedIn", ""};
    case ProfileField::twitter:
      return {2, "X (Twitter)", ""};
    case ProfileField::skype:
      return {2, "Skype", ""};
    case ProfileField::avatar_url:
      return {3, "Address of your picture", ""};
    case ProfileField::avatar_thumbnail_url:
      return {3, "Address of your small picture", ""};
    case ProfileField::bio:
      return {3, "A few words about you", ""};
  }
  return {};
}

/// Which keys a phone's keyboard shows.
std::string_view input_mode_of(ProfileFieldForm form) {
  switch (form) {
    case ProfileFieldForm::phone:
      return "tel";
    case ProfileFieldForm::url:
      return "url";
    case ProfileFieldForm::line:
    case ProfileFieldForm::text:
    case ProfileFieldForm::handle:
      return "text";
  }
  return "text";
}

std::string too_long(const ProfileFieldDescription& field) {
  return "Use at most " + std::to_string(field.max_length) + " characters.";
}

/// The catalogues hold one sentence for all lengths; what is translated here, no catalogue translates again.
std::string translate_error(base::Language language, const ProfileFieldDescription& field, std::string message) {
  if (message != too_long(field)) return message;
  std::string translated = base::translate(language, kTooLong);
  constexpr std::string_view kCount = "{count}";
  return translated.replace(translated.find(kCount), kCount.size(), std::to_string(field.max_length));
}

PageData data_of(const ProfileFieldDescription& field, const std::string& value, const FormState& state,
                 base::Language language) {
  const FieldText text = text_of(field.field);
  PageData data;
  data.text("field", std::string(field.name))
      .text("label", base::translate(language, text.label))
      .text("value", value)
      .text("input_mode", std::string(input_mode_of(field.form)))
      .flag("multiline", field.form == ProfileFieldForm::text);
  if (!text.autocomplete.empty()) data.text("autocomplete", std::string(text.autocomplete));
  if (std::string message = state.error_of(field.name, language); !message.empty())
    data.text("error", std::move(message));
  return data;
}

/// The form's groups, without those that have no field of the person's own.
std::vector<PageData> groups_of(const domain::Profile& profile, const FormState& state, base::Language language) {
  std::vector<PageData> groups;
  for (std::size_t group = 0; group < kGroups.size(); ++group) {
    std::vector<PageData> fields;
    for (const ProfileFieldDescription& field : kProfileFields)
      if (field.is_persons_own && text_of(field.field).group == group)
        fields.push_back(data_of(field, profile.get(field.field), state, language));
    if (fields.empty()) continue;
    groups.push_back(
        PageData().text("heading", base::translate(language, kGroups[group])).list("fields", std::move(fields)));
  }
  return groups;
}

/// The names of all fields as they stand in the form.
std::vector<std::string_view> order_of_fields() {
  std::vector<std::string_view> order{"name"};
  for (std::size_t group = 0; group < kGroups.size(); ++group)
    for (const ProfileFieldDescription& field : kProfileFields)
      if (field.is_persons_own && text_of(field.field).group == group) order.push_back(field.name);
  return order;
}

}  // namespace

ProfilePage::ProfilePage(domain::Context& context, std::shared_ptr<const PageRenderer> renderer, base::Secret csrf_key)
    : context_(context), renderer_(std::move(renderer)), csrf_(std::move(csrf_key), renderer_->origin()) {}

Response ProfilePage::show(const Request& request) const {
  const auto person = domain::find_signed_in(session_token_of(request), context_);
  if (!person) return refusal_page(*renderer_, request, person.error(), kProfile);
  return *person ? show_form(request, {}, **person, false) : lead_to(*renderer_, kSignIn);
}

Response ProfilePage::save(const Request& request) const {
  const std::optional<Form> form = parse_form(request, kMaxProfileBody);
  const auto show_again = [&](const FormState& state) { return save(request, *form, state); };
  if (auto refusal = refuse_foreign_form(*renderer_, csrf_, request, form, kProfile, kProfile, show_again))
    return std::move(*refusal);
  return save(request, *form, {});
}

/// Nothing is saved where `state` is not clean.
Response ProfilePage::save(const Request& request, const Form& form, FormState state) const {
  const std::string_view session = session_token_of(request);
  const auto person = domain::find_signed_in(session, context_);
  if (!person) return refusal_page(*renderer_, request, person.error(), kProfile);
  if (!*person) return lead_to(*renderer_, kSignIn);

  const base::Language language = renderer_->language_of(request);
  domain::SignedInPerson typed = **person;
  typed.account.name = form.get("name");
  state.check_name(form.get("name"));
  for (const ProfileFieldDescription& field : kProfileFields) {
    if (!field.is_persons_own) continue;
    const std::string_view value = form.get(field.name);
    typed.profile.set(field.field, std::string(value));
    if (const auto checked = domain::check_profile_value(field.field, value); !checked)
      state.add_error(std::string(field.name), translate_error(language, field, checked.error().message));
  }
  if (!state.is_clean()) return show_form(request, state, typed, false);

  const auto saved = domain::edit_profile(
      {.token = std::string(session), .name = typed.account.name, .profile = typed.profile}, context_);
  if (saved) return show_form(request, {}, *saved, true);
  if (saved.error().code == ErrorCode::sign_in_failed) return lead_to(*renderer_, kSignIn);
  if (state.take(saved.error())) return show_form(request, state, typed, false);
  return refusal_page(*renderer_, request, saved.error(), kProfile);
}

Response ProfilePage::show_form(const Request& request, const FormState& state, const domain::SignedInPerson& person,
                                bool saved) const {
  const base::Language language = renderer_->language_of(request);
  const CsrfTicket ticket = csrf_.issue(request, kProfile);
  const std::string_view name = base::trim(person.account.name);
  PageData data;
  data.text("email", person.account.email.text())
      .text("monogram", base::truncate_code_points(name.empty() ? person.account.email.text() : name, 1))
      .text("name", person.account.name)
      .text("csrf", ticket.form_value)
      .flag("saved", saved)
      .list("groups", groups_of(person.profile, state, language));
  state.put_into(data, language, order_of_fields());
  Response response =
      renderer_->render(request, {.status = state.status(), .template_name = "profile.html"}, std::move(data));
  response.headers.add("Set-Cookie", ticket.set_cookie);
  state.put_into(response);
  return response;
}

void add_profile_routes(Router& router, domain::Context& context, std::shared_ptr<const PageRenderer> renderer,
                        const base::Secret& csrf_key) {
  RouteOptions page;
  page.error_renderer = page_error_renderer(renderer);
  RouteOptions form = page;
  form.max_body = kMaxProfileBody;
  form.content_types = {"application/x-www-form-urlencoded"};
  const auto profile = std::make_shared<const ProfilePage>(context, std::move(renderer), csrf_key);
  router.add("GET", std::string(kProfile), [profile](const Request& request) { return profile->show(request); }, page);
  router.add("POST", std::string(kProfile), [profile](const Request& request) { return profile->save(request); }, form);
}

std::vector<std::string> profile_texts() {
  std::vector<std::string> texts{std::string(kTooLong)};
  texts.insert(texts.end(), kGroups.begin(), kGroups.end());
  for (const ProfileFieldDescription& field : kProfileFields) texts.emplace_back(text_of(field.field).label);
  // domain/profile.cpp says these.
  for (const char* text :
       {"Use plain text without special characters.", "Write a phone number with digits, such as +31 20 123 4567.",
        "Write a web address, such as https://www.example.org.",
        "Write a name, or a web address such as https://www.example.org."})
    texts.emplace_back(text);
  return texts;
}

}  // namespace invited::http
