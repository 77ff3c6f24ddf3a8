// The use cases' fixture with API tokens: what invites for callers is tested on.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "domain/caller.h"
#include "domain/invite.h"
#include "domain/manage_api_tokens.h"
#include "domain/use_case_fixture.h"

namespace invited::domain {

class CallerTest : public UseCaseTest {
 protected:
  explicit CallerTest(std::shared_ptr<Store> store = nullptr) : UseCaseTest(std::move(store)) {
    write([&](Transaction& t) -> Result<void> {
      administrator_ = *add_role(app_.id, std::nullopt, "Administrator", t, now());
      return {};
    });
  }

  AddedApiToken add_token(AddApiToken request = {}) {
    AddedApiToken added;
    request.environment_id = environment_.id;
    if (request.email.empty()) request.email = "grace@example.org";
    write([&](Transaction& t) -> Result<void> {
      auto made = add_api_token(request, authenticator_->pepper(), t, now());
      EXPECT_TRUE(made) << made.error().message;
      if (made) added = *std::move(made);
      return {};
    });
    return added;
  }

  Result<Caller> authenticate(const AddedApiToken& token, std::string_view client_address = "192.0.2.1") {
    return authenticate_token(token.text.reveal(), client_address, *context_);
  }

  /// The caller behind a new token.
  Caller make_caller(AddApiToken request = {}) {
    auto caller = authenticate(add_token(std::move(request)));
    EXPECT_TRUE(caller);
    return *std::move(caller);
  }

  /// The caller of the SOAP front door.
  Caller environments_caller() {
    return {
        environment_, app_, *account("grace@example.org"), {}, false, {}, "environment:" + environment_.id.to_string()};
  }

  Invite to(std::string_view email, std::vector<Role> roles) const {
    return {.invitee = *EmailAddress::parse(email), .roles = std::move(roles), .metadata = {}, .redirect_url = {}};
  }

  /// In a transaction of its own, as front doors do it.
  Result<Invited> invite(const Caller& caller, const Invite& what) {
    return write_returning(*store_, [&](Transaction& t) -> Result<Invited> {
      const auto again = find_again(caller, t, now());
      if (!again) return std::unexpected(again.error());
      return domain::invite(*again, what, t, policy_, now());
    });
  }

  Result<InvitePlan> plan(const Caller& caller, const Invite& what) {
    return read_returning(*store_, [&](Transaction& t) { return plan_invite(caller, what, t, policy_, now()); });
  }

  void set_grants(GrantRule rule) {
    write([&](Transaction& t) -> Result<void> {
      app_.grants = rule;
      t.update(app_);
      return {};
    });
  }

  void set_manageable(Role& role, std::vector<base::Uuid> manageable, bool all = false) {
    write([&](Transaction& t) -> Result<void> {
      role.manageable = std::move(manageable);
      role.manages_all = all;
      t.update(role);
      return {};
    });
  }

  void grant(const char* email, const Role& role) {
    write([&](Transaction& t) -> Result<void> {
      EXPECT_TRUE(grant_access(environment_.id, email, role.id, t, now()));
      return {};
    });
  }

  void withdraw(const char* email, const Role& role) {
    write([&](Transaction& t) -> Result<void> {
      EXPECT_TRUE(revoke_access(environment_.id, email, role.id, t, now()));
      return {};
    });
  }

  void add_person(const char* email, std::string_view password_hash = {}) {
    write([&](Transaction& t) -> Result<void> {
      EXPECT_TRUE(add_account(email, "Ada Lovelace", password_hash, t, now()));
      return {};
    });
  }

  std::vector<Invitation> invitations_in(Transaction& t) const {
    return t.list_invitations({std::nullopt, std::nullopt, std::nullopt, now()}, {});
  }

  LinkState link_of(const Invitation& invitation) {
    return view_invitation(token_of(invitation), "192.0.2.7", *context_)->link;
  }

  Role administrator_;
};

/// "code parameter", or "" where there is no error.
template <class T>
std::string error_of(const Result<T>& result) {
  return result ? std::string() : std::string(to_string(result.error().code)) + " " + result.error().parameter;
}

}  // namespace invited::domain
