// What an invitee does with a link: looks at it, accepts (signing up or signing in), declines, asks for a fresh one
// after expiry. Looking changes nothing. Only the invited address can accept, and an existing account's password is
// checked, never set (promises.md 12).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "domain/context.h"
#include "domain/link_state.h"

namespace invited::domain {

struct InvitationView {
  LinkState link = LinkState::wrong;
  // The rest is empty where the link is wrong.
  std::string invitee_email;
  std::string inviter_name;
  std::string app_name;
  std::string app_url;
  std::string role_name;  ///< names_of what the invitation grants; once it is accepted, of what the person has
  base::Timestamp expires_at;
  /// The address has an account with a password, or one whose password is not set here: sign in to accept. Else: sign
  /// up.
  bool signs_in = false;
  /// The account to sign in to has no password yet, and the link does not prove the mailbox: a link to a new one does.
  bool needs_password = false;
  /// Prefills the sign-up form, where an operator had entered the person before.
  std::string known_name;
  /// Accepted: the access that it gave, or any other one, is there still.
  bool has_access = false;
  /// It was over before it was answered, and a newer invitation is what all of this is about.
  bool is_replaced = false;
  /// Superseded: when the mail with the newest link is to leave. Nothing where it has left.
  std::optional<base::Timestamp> newer_mail_due{};
};

/// Errors: rate_limited (forged tokens from that address), unavailable.
Result<InvitationView> view_invitation(std::string_view token, std::string_view client_address, Context& context);

struct AcceptInvitation {
  std::string token;
  std::string name;             ///< sign-up only
  base::Secret password;        ///< new one (sign-up) or the account's (sign-in)
  base::Secret password_again;  ///< sign-up only
  std::string client_address;
};

/// One transaction creates account (sign-up), access, audit event and the accepted state. Errors: link_not_valid (call
/// view_invitation for the reason), invalid_parameter ("Name", "Password", "PasswordAgain"), sign_in_failed,
/// not_allowed (the password is right, but the account is disabled), rate_limited, unavailable, outcome_unknown. Of
/// several at the same moment exactly one succeeds.
Result<InvitationView> accept_invitation(const AcceptInvitation& request, Context& context);

/// For a form that is sent twice, by a double click or a reload: what accept_invitation said the first time, where the
/// link was accepted, the access is there still and the password is the account's. Errors: link_not_valid (else),
/// rate_limited, unavailable.
Result<InvitationView> find_accepted(const AcceptInvitation& request, Context& context);

/// Who accepts where that was found out before: by a registration, or because the person is signed in.
struct KnownInvitee {
  EmailAddress email;
  std::string name;                      ///< of a new account; checked here
  std::string password_hash;             ///< of a new account
  std::optional<base::Uuid> account_id;  ///< signed in: as this account
};

/// Accepts as that person, whose address must be the invited one; a registration is no way into an account that has a
/// password. Errors: link_not_valid, invalid_parameter ("Name"), unavailable, outcome_unknown.
Result<Account> accept_as(const TokenSubject& subject, const KnownInvitee& person, Context& context);

/// The account of the person who accepted with this very link before: for a call that is made again because its answer
/// was lost. Errors: link_not_valid (nobody did, or somebody else), unavailable.
Result<Account> find_accepted_as(const TokenSubject& subject, const KnownInvitee& person, Context& context);

/// Errors: link_not_valid, rate_limited, unavailable, outcome_unknown.
Result<InvitationView> decline_invitation(std::string_view token, std::string_view client_address, Context& context);

/// For an expired link: a new generation and mail to the same address. Same errors.
Result<void> request_fresh_link(std::string_view token, std::string_view client_address, Context& context);

}  // namespace invited::domain
