// Wrong passwords of a person, wherever they are typed: on the sign-in page, into the form of an invitation, with a
// link to a new password that was used. They are counted for the address and who is trying; a limit on the address
// alone would let any stranger lock its owner out. Whether there is such an account or not: a limit that only known
// addresses had would tell.
#pragma once

#include <string>
#include <string_view>

#include "domain/context.h"
#include "domain/email_address.h"

namespace invited::domain {

class PasswordGuesses {
 public:
  PasswordGuesses(const EmailAddress& email, std::string_view client_address, Context& context);

  /// Before a password is looked at: rate_limited where too many were wrong.
  Result<void> admit() const;
  void count_wrong();
  void forget();

 private:
  AttemptLimiter& limiter_;
  const base::Clock& clock_;
  std::string subject_;
};

}  // namespace invited::domain
