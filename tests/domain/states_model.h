// What becomes of invitations, written down a second time and as plainly as can be: small numbers for people, roles and
// environments, no database, no mails, no words. any_order_test.cpp holds the service against it. Belongs to one
// thread.
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "domain/answer_invitation.h"
#include "domain/invitation.h"

namespace invited::domain {

struct ModelInvitation {
  int environment = 0;
  int invitee = 0;
  std::vector<int> roles{};
  int inviter = 0;
  int token = -1;
  InvitationState state = InvitationState::pending;
  std::uint32_t generation = 1;
  base::Timestamp sent_at{};
  base::Timestamp expires_at{};
  bool mailed = true;
};

struct ModelToken {
  int environment = 0;
  int inviter = 0;
  std::set<int> ceiling{};  ///< empty: none
  bool links = false;
  bool revoked = false;
};

/// Outcomes are the words of effects and error codes; "done" where there is nothing more to say.
class StatesModel {
 public:
  static constexpr int kEnvironments = 2;
  static constexpr int kPeople = 5;
  static constexpr int kRoles = 3;

  base::Timestamp now{};
  std::chrono::seconds lifetime{0}, window{0};
  bool grants_manageable = false;
  std::set<int> disabled;                      ///< environments
  std::set<int> accounts;                      ///< people
  std::set<std::tuple<int, int, int>> access;  ///< person, environment, role
  std::vector<ModelToken> tokens;
  std::vector<ModelInvitation> invitations;

  bool has_any_access(int person, int environment) const {
    return std::ranges::any_of(
        access, [&](const auto& one) { return std::get<0>(one) == person && std::get<1>(one) == environment; });
  }

  /// Role 0 manages itself, 1 those up to itself, 2 all.
  static bool manages(int role, int other) { return role == 2 || other <= role; }

  bool may_grant(int environment, int inviter, int token, const std::vector<int>& roles) const {
    return std::ranges::all_of(roles, [&](int role) {
      if (token >= 0 && !at(token).ceiling.empty() && !at(token).ceiling.contains(role)) return false;
      if (!grants_manageable) return true;
      for (int own = 0; own < kRoles; ++own)
        if (access.contains({inviter, environment, own}) && manages(own, role)) return true;
      return false;
    });
  }

  bool works(int token) const {
    const ModelToken& one = at(token);
    return !one.revoked && !disabled.contains(one.environment) && has_any_access(one.inviter, one.environment);
  }

  std::string invite_by_password(int environment, int inviter, int invitee, int role) {
    if (disabled.contains(environment)) return "authentication_failed";
    if (!has_any_access(inviter, environment)) return "inviter_without_access";
    return invite(environment, inviter, -1, invitee, {role}, /*send=*/true);
  }

  std::string invite_by_token(int token, int invitee, const std::vector<int>& roles, bool send) {
    if (!works(token)) return "authentication_failed";
    if (!send && !at(token).links) return "not_allowed";
    return invite(at(token).environment, at(token).inviter, token, invitee, roles, send);
  }

  std::string resend_by_token(int token, ModelInvitation& one, bool send) {
    if (!works(token)) return "authentication_failed";
    if (one.environment != at(token).environment) return "not_found";
    if (one.state != InvitationState::pending) return "invalid_parameter";
    if (!send && !at(token).links) return "not_allowed";
    if (!may_grant(one.environment, at(token).inviter, token, one.roles)) return "role_not_allowed";
    one.inviter = at(token).inviter;
    one.token = token;
    renew(one, send);
    return "resent";
  }

  std::string resend_by_operator(ModelInvitation& one) {
    if (one.state != InvitationState::pending) return "invalid_parameter";
    renew(one, /*send=*/true);
    return "done";
  }

  std::string change_roles(int token, ModelInvitation& one, const std::vector<int>& roles) {
    if (!works(token)) return "authentication_failed";
    if (one.environment != at(token).environment) return "not_found";
    if (state_of(one) != InvitationState::pending) return "invalid_parameter";
    for (const auto& all : {one.roles, roles})
      if (!may_grant(one.environment, at(token).inviter, token, all)) return "role_not_allowed";
    one.roles = roles;
    one.inviter = at(token).inviter;
    one.token = token;
    return "done";
  }

  std::string revoke_by_token(int token, ModelInvitation& one) const {
    if (!works(token)) return "authentication_failed";
    if (one.environment != at(token).environment) return "not_found";
    if (one.state != InvitationState::pending) return "invalid_parameter";
    if (!may_grant(one.environment, at(token).inviter, token, one.roles)) return "role_not_allowed";
    return revoke(one);
  }

  static std::string revoke(ModelInvitation& one) {
    if (one.state != InvitationState::pending) return "invalid_parameter";
    one.state = InvitationState::revoked;
    return "done";
  }

  InvitationState state_of(const ModelInvitation& one) const {
    return one.state == InvitationState::pending && now >= one.expires_at ? InvitationState::expired : one.state;
  }

  /// No mail ever leaves here, so that an older link never counts.
  LinkState link_of(const ModelInvitation& one, std::uint32_t generation) const {
    if (one.state == InvitationState::expired) {  // replaced: what became of the newest one?
      const ModelInvitation* newest = &one;
      for (const ModelInvitation& other : invitations)
        if (other.environment == one.environment && other.invitee == one.invitee) newest = &other;
      return newest->state == InvitationState::pending ? LinkState::superseded : link_of(*newest, newest->generation);
    }
    if (one.state == InvitationState::accepted) return LinkState::accepted;
    if (one.state == InvitationState::declined) return LinkState::declined;
    if (one.state == InvitationState::revoked) return LinkState::revoked;
    if (generation != one.generation) return LinkState::superseded;
    const bool granted =
        (!grants_manageable && one.token < 0) || may_grant(one.environment, one.inviter, one.token, one.roles);
    if (disabled.contains(one.environment) || !granted) return LinkState::revoked;
    return now >= one.expires_at ? LinkState::expired : LinkState::open;
  }

  std::string accept(ModelInvitation& one, std::uint32_t generation) {
    if (link_of(one, generation) != LinkState::open) return "link_not_valid";
    one.state = InvitationState::accepted;
    accounts.insert(one.invitee);
    for (const int role : one.roles) access.insert({one.invitee, one.environment, role});
    return "done";
  }

  std::string decline(ModelInvitation& one, std::uint32_t generation) const {
    if (link_of(one, generation) != LinkState::open) return "link_not_valid";
    one.state = InvitationState::declined;
    return "done";
  }

  std::string ask_for_fresh_link(ModelInvitation& one, std::uint32_t generation) const {
    if (link_of(one, generation) != LinkState::expired) return "link_not_valid";
    renew(one, /*send=*/true);
    return "done";
  }

 private:
  const ModelToken& at(int token) const { return tokens[static_cast<std::size_t>(token)]; }

  void renew(ModelInvitation& one, bool send) const {
    one.generation += 1;
    one.sent_at = now;
    one.expires_at = now + lifetime;
    one.mailed = send;
  }

  std::string invite(int environment, int inviter, int token, int invitee, const std::vector<int>& roles, bool send) {
    if (!may_grant(environment, inviter, token, roles)) return "role_not_allowed";
    ModelInvitation* pending = nullptr;
    for (ModelInvitation& one : invitations)
      if (one.environment == environment && one.invitee == invitee && one.state == InvitationState::pending)
        pending = &one;
    const bool open = pending != nullptr && now < pending->expires_at;
    if (open && pending->roles == roles && pending->inviter == inviter && now - pending->sent_at < window &&
        (pending->mailed || !send))
      return "repeated";
    if (accounts.contains(invitee) &&
        std::ranges::all_of(roles, [&](int role) { return access.contains({invitee, environment, role}); }))
      return "has_access_already";
    if (open && !may_grant(environment, inviter, token, pending->roles)) return "role_not_allowed";
    if (!open) {
      if (pending != nullptr) pending->state = InvitationState::expired;
      invitations.push_back({.environment = environment, .invitee = invitee, .generation = 0});
      pending = &invitations.back();
    }
    pending->roles = roles;
    pending->inviter = inviter;
    pending->token = token;
    renew(*pending, send);
    return open ? "resent" : "invited";
  }
};

}  // namespace invited::domain
