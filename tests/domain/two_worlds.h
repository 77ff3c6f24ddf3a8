// A service and its model side by side: two environments, people who invite and people who are invited, tokens with and
// without ceilings; and what is done to both at once. For any_order_test.cpp.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "domain/caller_fixture.h"
#include "domain/states_model.h"

namespace invited::domain {

class TwoWorlds : public CallerTest {
 protected:
  static constexpr std::array kEmails{"grace@example.org", "linus@example.org", "ada@example.org", "bob@example.org",
                                      "eve@example.org"};
  static_assert(kEmails.size() == StatesModel::kPeople);

  TwoWorlds() {
    policy_.environment_per_day = policy_.environment_per_second = 0;
    policy_.inviter_per_hour = policy_.inviter_per_day = 0;
    set_manageable(user_, {user_.id});
    set_manageable(planner_, {user_.id, planner_.id});
    set_manageable(administrator_, {}, /*all=*/true);
    add_person(kEmails[1]);
    environments_.push_back({environment_.id, base::Secret(password_.reveal())});
    write([&](Transaction& t) -> Result<void> {
      // Apps see links here, so that nobody's first password is set by one.
      for (int person = 0; person < 2; ++person)
        EXPECT_TRUE(set_account_password(kEmails[index(person)], hasher_.hash(base::Secret(kGoodPassword)), t, now()));
      auto second = *add_environment({app_.id, "Acceptance", std::nullopt, {}}, authenticator_->pepper(), t, now());
      environments_.push_back({second.environment.id, std::move(second.password)});
      return {};
    });
    model_.lifetime = policy_.invitation_lifetime;
    model_.window = policy_.repeat_window;
    model_.accounts = {0, 1};
    model_.access = {{0, 0, 0}};
    change_access(0, 1, 1, true);
    change_access(1, 0, 2, true);
    for (const ModelToken& token : {ModelToken{.environment = 0, .inviter = 0},
                                    {.environment = 0, .inviter = 1, .links = true},
                                    {.environment = 1, .inviter = 0, .ceiling = {0, 1}, .links = true},
                                    {.environment = 0, .inviter = 1, .ceiling = {0}}})
      make_token_of(token);
  }

  // --- the same thing done to the service and to the model ---------------------------------------

  void make_token_of(const ModelToken& wanted) {
    AddApiToken request{.environment_id = environments_[index(wanted.environment)].id,
                        .email = kEmails[index(wanted.inviter)],
                        .may_see_links = wanted.links};
    for (const int role : wanted.ceiling) request.role_ceiling.push_back(role_id(role));
    write([&](Transaction& t) -> Result<void> {
      auto made = add_api_token(request, authenticator_->pepper(), t, now());
      EXPECT_TRUE(made);
      if (!made) return std::unexpected(made.error());
      tokens_.push_back(*std::move(made));
      model_.tokens.push_back(wanted);
      return {};
    });
  }

  void change_access(int person, int environment, int role, bool granted) {
    write([&](Transaction& t) -> Result<void> {
      const auto change = granted ? grant_access : revoke_access;
      EXPECT_TRUE(
          change(environments_[index(environment)].id, kEmails[index(person)], role_id(role), t, now(), "operator"));
      return {};
    });
    if (granted)
      model_.access.insert({person, environment, role});
    else
      model_.access.erase({person, environment, role});
  }

  // --- small help ------------------------------------------------------------------------------------

  static std::size_t index(int number) { return static_cast<std::size_t>(number); }
  int pick(int count) { return static_cast<int>(random_() % static_cast<std::uint64_t>(count)); }
  /// Each operation from a network of its own, so that no limit on one is met.
  std::string client() {
    ++clients_;
    return "2001:db8:" + std::to_string(clients_ / 9'999) + ':' + std::to_string(clients_ % 9'999) + "::1";
  }

  /// An invitation whose stored state is pending, if there is one.
  std::optional<std::size_t> pick_pending() {
    std::vector<std::size_t> numbers;
    for (std::size_t i = 0; i < model_.invitations.size(); ++i)
      if (model_.invitations[i].state == InvitationState::pending) numbers.push_back(i);
    if (numbers.empty()) return std::nullopt;
    return numbers[index(pick(static_cast<int>(numbers.size())))];
  }
  int pick_token_of(int environment) {
    int token = pick(static_cast<int>(tokens_.size()));
    for (std::size_t i = 0; i < tokens_.size() && model_.tokens[index(token)].environment != environment; ++i)
      token = (token + 1) % static_cast<int>(tokens_.size());
    return token;
  }

  std::vector<int> pick_roles() {
    std::vector<int> roles{0, 1, 2};
    std::ranges::shuffle(roles, random_);
    roles.resize(index(1 + (pick(3) == 0 ? pick(3) : 0)));
    return roles;
  }

  const Role& role_of(int role) const { return role == 0 ? user_ : role == 1 ? planner_ : administrator_; }
  base::Uuid role_id(int role) const { return role_of(role).id; }
  std::vector<base::Uuid> ids_of(const std::vector<int>& roles) const {
    std::vector<base::Uuid> ids;
    for (const int role : roles) ids.push_back(role_id(role));
    return ids;
  }
  std::vector<Role> domain_roles(const std::vector<int>& roles) const {
    std::vector<Role> found;
    for (const int role : roles) found.push_back(role_of(role));
    return found;
  }
  Invite wanted(int person, const std::vector<int>& roles, bool send) const {
    Invite invite = to(kEmails[index(person)], domain_roles(roles));
    invite.send = send;
    return invite;
  }
  static std::string names(const std::vector<int>& roles) {
    std::string text;
    for (const int role : roles) text += std::to_string(role);
    return text;
  }

  void read(const std::function<void(Transaction&)>& work) {
    EXPECT_TRUE(store_->read([&](Transaction& t) -> Result<void> {
      work(t);
      return {};
    }));
  }
  std::vector<Invitation> stored() {
    std::vector<Invitation> all;
    read([&](Transaction& t) {
      all = t.list_invitations({std::nullopt, std::nullopt, std::nullopt, now()}, {.limit = 10'000, .offset = 0});
    });
    return all;
  }
  std::set<std::string> roles_of(const Account& who, int environment) {
    std::set<std::string> found;
    read([&](Transaction& t) {
      for (const Role& role : t.list_roles_of(who.id, environments_[index(environment)].id)) found.insert(role.name);
    });
    return found;
  }
  std::set<std::string> predicted_roles(int person, int environment) const {
    std::set<std::string> found;
    for (int role = 0; role < StatesModel::kRoles; ++role)
      if (model_.access.contains({person, environment, role})) found.insert(role_of(role).name);
    return found;
  }

  Result<SentInvitation> send_by_password(int environment, int inviter, int invitee, int role) {
    const auto& where = environments_[index(environment)];
    return send_invitation({where.id.to_string(),
                            where.password,
                            role_id(role).to_string(),
                            kEmails[index(invitee)],
                            kEmails[index(inviter)],
                            {},
                            client()},
                           *context_);
  }

  template <class Work>
  auto with_caller(int token, Work work) -> std::invoke_result_t<Work, const Caller&, Transaction&> {
    const auto caller = authenticate(tokens_[index(token)], client());
    if (!caller) return std::unexpected(caller.error());
    return write_returning(*store_, [&](Transaction& t) -> std::invoke_result_t<Work, const Caller&, Transaction&> {
      const auto again = find_again(*caller, t, now());
      if (!again) return std::unexpected(again.error());
      return work(*again, t);
    });
  }

  void set_disabled(int environment, bool disabled) {
    write([&](Transaction& t) -> Result<void> {
      EXPECT_TRUE(set_environment_disabled(environments_[index(environment)].id, disabled, t, now()));
      return {};
    });
    authenticator_->forget_snapshot();
    if (disabled)
      model_.disabled.insert(environment);
    else
      model_.disabled.erase(environment);
  }
  void toggle_grants() {
    model_.grants_manageable = !model_.grants_manageable;
    set_grants(model_.grants_manageable ? GrantRule::manageable : GrantRule::any);
  }
  void revoke_token(int token) {
    write([&](Transaction& t) -> Result<void> {
      EXPECT_TRUE(revoke_api_token(tokens_[index(token)].token.id, t, now()));
      return {};
    });
    model_.tokens[index(token)].revoked = true;
    // Another takes its place, where its inviter may still have one.
    const ModelToken& old = model_.tokens[index(token)];
    if (model_.has_any_access(old.inviter, old.environment))
      make_token_of({.environment = old.environment, .inviter = old.inviter, .ceiling = {}, .links = !old.links});
  }

  struct KnownEnvironment {
    base::Uuid id;
    base::Secret password;
  };

  StatesModel model_;
  std::mt19937_64 random_;
  int clients_ = 0;
  std::vector<KnownEnvironment> environments_;
  std::vector<AddedApiToken> tokens_;
  std::vector<base::Uuid> ids_;  ///< in the model's order
};

}  // namespace invited::domain
