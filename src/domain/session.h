// Being signed in to our own pages: a random token in the browser's cookie, its hash in the store. A session ends when
// its time is over, on signing out, and with every change of the account's password. Sessions are not what apps sign
// people in with.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "domain/context.h"
#include "domain/profile.h"

namespace invited::domain {

struct SignIn {
  std::string email;
  base::Secret password;
  std::string client_address;
  std::string previous_token;  ///< of the browser's session, if it has one: it ends
};

struct SignedIn {
  base::Secret token;  ///< 43 characters of base64url; never stored
  base::Timestamp expires_at;
};

/// Always a new token. Errors: sign_in_failed (unknown address, wrong password, no password, disabled: never told
/// apart), rate_limited (client address, or account and client address), unavailable, outcome_unknown.
Result<SignedIn> sign_in(const SignIn& request, Context& context);

/// A success also where there is no such session.
Result<void> sign_out(std::string_view token, Context& context);

/// Who is signed in by `token`, with the profile; nothing for one that is unknown, over, or of a disabled account.
struct SignedInPerson {
  Account account;
  Profile profile;
};
Result<std::optional<SignedInPerson>> find_signed_in(std::string_view token, Context& context);

struct EditProfile {
  std::string token;
  std::string name;
  Profile profile;  ///< fields that are not the person's own (profile.h) are left as they are
};
/// Errors: sign_in_failed (not signed in any more), invalid_parameter ("Name" or a field's name: the first that is
/// wrong; forms ask check_profile_value and parse_name themselves, to tell all), unavailable, outcome_unknown.
Result<SignedInPerson> edit_profile(const EditProfile& request, Context& context);

}  // namespace invited::domain
