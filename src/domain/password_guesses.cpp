#include "domain/password_guesses.h"

namespace invited::domain {

PasswordGuesses::PasswordGuesses(const EmailAddress& email, std::string_view client_address, Context& context)
    : limiter_(context.sign_ins), clock_(context.clock), subject_(email.key() + ' ' + limited_as(client_address)) {}

Result<void> PasswordGuesses::admit() const {
  if (const auto wait = limiter_.blocked(subject_, clock_.now())) return std::unexpected(too_many_attempts(*wait));
  return {};
}

void PasswordGuesses::count_wrong() { limiter_.attempt(subject_, clock_.now()); }

void PasswordGuesses::forget() { limiter_.clear(subject_); }

}  // namespace invited::domain
