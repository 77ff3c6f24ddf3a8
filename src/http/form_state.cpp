#include "http/form_state.h"

#include <algorithm>
#include <array>

#include "base/translation.h"
#include "base/utf8.h"
#include "domain/password.h"
#include "domain/person_name.h"

namespace invited::http {
namespace {

using domain::ErrorCode;

constexpr std::string_view kNameMissing = "Enter your name.";
constexpr std::string_view kNameTooLong = "Use at most 128 characters for your name.";
constexpr std::string_view kNameNotUsable =
    "Write your name without web addresses, @ signs and special characters, and with a space after each dot.";
constexpr std::string_view kPasswordMissing = "Enter a password.";
constexpr std::string_view kPasswordTooShort = "Use a password of at least 15 characters.";
constexpr std::string_view kPasswordTooLong = "Use a password of at most 128 characters.";
constexpr std::string_view kPasswordsDiffer = "The two passwords differ. Type the same one twice.";
constexpr std::string_view kWait = "Too many attempts. Nothing has been changed. Wait a minute and try again.";
constexpr std::string_view kBusy = "The service is busy. Nothing has been changed. Try again in a minute.";

constexpr std::string_view kOutOfDate =
    "This form was open for too long, or you signed in or out meanwhile, so it was not accepted. Check it and send it "
    "again.";

constexpr std::array kTexts{kOutOfDate, kNameMissing, kNameTooLong, kNameNotUsable, kPasswordMissing, kPasswordTooShort,
                            kPasswordTooLong, kPasswordsDiffer, kWait, kBusy,
                            // domain/password.cpp says these.
                            std::string_view("This password holds characters that cannot be used. Choose another one."),
                            std::string_view("This password is made of your name, your address or the app's name. "
                                             "Choose another one."),
                            std::string_view("This password is too easy to guess. Use several words that do not "
                                             "belong together.")};

}  // namespace

void FormState::add_error(std::string field, std::string message) {
  if (is_clean()) status_ = 422;
  const bool known = std::ranges::any_of(errors_, [&](const auto& error) { return error.first == field; });
  if (!known) errors_.emplace_back(std::move(field), std::move(message));
}

void FormState::set_notice(int status, std::string_view message) {
  status_ = status;
  notice_ = message;
}

FormState FormState::out_of_date() {
  FormState state;
  state.set_notice(403, kOutOfDate);
  return state;
}

void FormState::check_name(std::string_view typed) {
  if (domain::parse_name(typed, "Name")) return;
  const std::string_view name = base::trim(typed);
  const bool too_long = base::count_code_points(name) > domain::kMaxNameLength;
  add_error("name", std::string(name.empty() ? kNameMissing : too_long ? kNameTooLong : kNameNotUsable));
}

void FormState::check_new_password(std::string_view password, std::string_view again) {
  const base::Secret normal(base::to_nfc(password));
  const std::size_t length = base::count_code_points(normal.reveal());
  if (length == 0) {
    add_error("password", std::string(kPasswordMissing));
  } else if (length < domain::kMinPasswordLength) {
    add_error("password", std::string(kPasswordTooShort));
  } else if (length > domain::kMaxPasswordLength) {
    add_error("password", std::string(kPasswordTooLong));
  } else if (!base::constant_time_equal(password, again)) {
    add_error("password_again", std::string(kPasswordsDiffer));
  }
}

void FormState::check_password(std::string_view password) {
  if (password.empty()) add_error("password", std::string(kPasswordMissing));
}

bool FormState::take(const domain::Error& error) {
  switch (error.code) {
    case ErrorCode::invalid_parameter:
      if (error.parameter == "Name") {
        add_error("name", std::string(kNameNotUsable));
      } else if (error.parameter == "PasswordAgain") {
        add_error("password_again", std::string(kPasswordsDiffer));
      } else {
        add_error("password", error.message);
      }
      return true;
    case ErrorCode::rate_limited:
      set_notice(429, kWait);
      retry_after_ = http::retry_after(error);
      return true;
    case ErrorCode::unavailable:
      set_notice(503, kBusy);
      retry_after_ = http::retry_after(error);
      return true;
    case ErrorCode::malformed_request:
    case ErrorCode::authentication_failed:
    case ErrorCode::missing_parameter:
    case ErrorCode::invalid_email_address:
    case ErrorCode::inviter_without_access:
    case ErrorCode::unknown_role:
    case ErrorCode::role_not_allowed:
    case ErrorCode::not_allowed:
    case ErrorCode::precondition_failed:
    case ErrorCode::unknown_person:
    case ErrorCode::idempotency_mismatch:
    case ErrorCode::outcome_unknown:
    case ErrorCode::link_not_valid:
    case ErrorCode::sign_in_failed:
    case ErrorCode::already_exists:
    case ErrorCode::not_found:
      return false;
  }
  return false;
}

void FormState::put_into(PageData& data, base::Language language, std::span<const std::string_view> order) const {
  data.flag("has_errors", !is_clean()).flag("has_field_errors", !errors_.empty());
  if (!notice_.empty()) data.text("notice", base::translate(language, notice_));
  std::vector<PageData> listed;
  for (const std::string_view field : order) {
    const std::string message = error_of(field, language);
    if (message.empty()) continue;
    data.text(std::string(field) + "_error", message);
    listed.push_back(PageData().text("field", std::string(field)).text("message", message));
  }
  data.list("field_errors", std::move(listed));
}

std::string FormState::error_of(std::string_view field, base::Language language) const {
  for (const auto& [name, message] : errors_)
    if (name == field) return base::translate(language, message);
  return {};
}

void FormState::put_into(Response& response) const {
  if (!retry_after_.empty()) response.headers.set("Retry-After", retry_after_);
}

std::string retry_after(const domain::Error& error) {
  return std::to_string(error.retry_after.value_or(std::chrono::seconds(60)).count());
}

std::span<const std::string_view> form_texts() { return kTexts; }

}  // namespace invited::http
