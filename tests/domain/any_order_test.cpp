// Any order of operations through any doors leaves the states that a small model predicts, and tells its callers what
// it predicts. A failure names its seed and the last operations; INVITED_SEED runs that one again.
#include "domain/compared_worlds.h"
#include "support/fault_form.h"

namespace invited::domain {
namespace {

using namespace std::chrono_literals;

template <class T>
std::string outcome_of(const Result<T>& result) {
  if (!result) return std::string(to_string(result.error().code));
  if constexpr (std::is_same_v<T, Invited> || std::is_same_v<T, SentInvitation>)
    return std::string(to_string(result->effect));
  return "done";
}

class AnyOrderTest : public ComparedWorlds {
 protected:
  std::string step() override {
    model_.now = now();
    int token = pick(static_cast<int>(tokens_.size()));
    int environment = pick(StatesModel::kEnvironments);
    int person = pick(StatesModel::kPeople);
    int inviter = pick(2);
    std::vector<int> roles = pick_roles();
    const bool send = pick(3) != 0;
    const int door = pick(ids_.empty() ? 9 : 18);
    if (const auto again = pick_pending(); door < 6 && again && pick(2) == 0) {
      const ModelInvitation& one = model_.invitations[*again];
      environment = one.environment;
      person = one.invitee;
      inviter = one.inviter;
      roles = one.roles;
      token = one.token >= 0 ? one.token : pick_token_of(one.environment);
    }
    const int role = roles.front();
    const auto words = [&](const char* what) {
      return std::string(what) + " token=" + std::to_string(token) + " environment=" + std::to_string(environment) +
             " person=" + std::to_string(person) + " role=" + std::to_string(role) + " send=" + std::to_string(send) +
             " roles=" + names(roles);
    };
    switch (door) {
      case 0:
      case 1:
      case 2:
        return tell(words("SendInvite"), send_by_password(environment, inviter, person, role),
                    model_.invite_by_password(environment, inviter, person, role));
      case 3:
      case 4:
      case 5:
        return tell(words("invite"),
                    with_caller(token,
                                [&](const Caller& caller, Transaction& t) {
                                  return domain::invite(caller, wanted(person, roles, send), t, policy_, now());
                                }),
                    model_.invite_by_token(token, person, roles, send));
      case 6: {
        const bool granted = pick(2) == 0;
        if (model_.accounts.contains(person)) change_access(person, environment, role, granted);
        return words(granted ? "grant" : "withdraw");
      }
      case 7:
        if (!model_.disabled.empty())
          set_disabled(*model_.disabled.begin(), false);
        else if (const int kind = pick(8); kind == 0)
          set_disabled(environment, true);
        else if (kind < 4)
          toggle_grants();
        else if (kind == 4)
          revoke_token(token);
        return words("operator");
      case 8: {
        const auto time = std::array<std::chrono::seconds, 4>{20s, 61s, 24h, 7 * 24h}[index(pick(4))];
        clock_.advance(time);
        return "wait " + std::to_string(time.count());
      }
      default:
        return step_with_invitation(token, roles, send);
    }
  }

  std::string step_with_invitation(int token, const std::vector<int>& roles, bool send) {
    // One that can still change, most of the time; and asked for by somebody who may.
    const auto pending = pick(4) == 0 ? std::nullopt : pick_pending();
    const std::size_t number = pending.value_or(index(pick(static_cast<int>(ids_.size()))));
    if (pick(4) != 0) token = pick_token_of(model_.invitations[number].environment);
    const base::Uuid id = ids_[number];
    ModelInvitation& one = model_.invitations[number];
    const std::uint32_t generation = pick(5) == 0 ? one.generation - 1 : one.generation;
    const std::string link = domain::make_token(keys_, {id, generation});
    const auto words = [&](const char* what) {
      return std::string(what) + " invitation=" + std::to_string(number) + " generation=" + std::to_string(generation) +
             " token=" + std::to_string(token) + " send=" + std::to_string(send) + " roles=" + names(roles);
    };
    const auto found = [&](const Caller& caller, Transaction& t,
                           auto work) -> decltype(work(std::declval<Invitation>())) {
      auto invitation = find_invitation_of(caller, id, t);
      if (!invitation) return std::unexpected(invitation.error());
      return work(*std::move(invitation));
    };
    switch (pick(9)) {
      case 0:
        return tell(words("resend"),
                    with_caller(token,
                                [&](const Caller& caller, Transaction& t) {
                                  return found(caller, t, [&](const Invitation& i) {
                                    return resend(caller, i, send, t, policy_, now());
                                  });
                                }),
                    model_.resend_by_token(token, one, send));
      case 1:
        return tell(words("change"),
                    with_caller(token,
                                [&](const Caller& caller, Transaction& t) {
                                  InvitationChange change{.role_ids = std::vector<base::Uuid>{}};
                                  for (const int role : roles) change.role_ids->push_back(role_id(role));
                                  return found(caller, t, [&](Invitation i) {
                                    return change_invitation(std::move(i), change, caller, t, now());
                                  });
                                }),
                    model_.change_roles(token, one, roles));
      case 2:
        return tell(words("resend by operator"),
                    write_returning(
                        *store_, [&](Transaction& t) { return resend_invitation(id, "operator", t, policy_, now()); }),
                    model_.resend_by_operator(one));
      case 3:
        return tell(
            words("revoke by operator"),
            write_returning(*store_, [&](Transaction& t) { return revoke_invitation(id, "operator", t, now()); }),
            StatesModel::revoke(one));
      case 8:
        return tell(words("revoke by token"),
                    with_caller(token,
                                [&](const Caller& caller, Transaction& t) {
                                  return found(caller, t, [&](const Invitation& i) {
                                    return revoke_invitation(caller, i, t, now());
                                  });
                                }),
                    model_.revoke_by_token(token, one));
      case 4:
        return tell(words("decline"), decline_invitation(link, client(), *context_), model_.decline(one, generation));
      case 5: {
        const auto done = request_fresh_link(link, client(), *context_);
        return tell(words("fresh link"), done, model_.ask_for_fresh_link(one, generation));
      }
      default: {
        AcceptInvitation request = sign_up(link);
        request.client_address = client();
        return tell(words("accept"), accept_invitation(request, *context_), model_.accept(one, generation));
      }
    }
  }

  // --- holding one against the other ---------------------------------------------------------------

  template <class T>
  std::string tell(std::string what, const Result<T>& done, const std::string& predicted) {
    const std::string outcome = outcome_of(done);
    EXPECT_EQ(outcome, predicted) << what;
    if (outcome == "invited") note_new_invitation();
    return what + " -> " + outcome;
  }
};

class AnyOrder : public AnyOrderTest, public testing::WithParamInterface<int> {};

TEST_P(AnyOrder, LeavesWhatTheModelPredicts) { run(seed_of(GetParam()), test::rounds(400, 5'000)); }

// The first few are the same each time; the last one is new each time.
INSTANTIATE_TEST_SUITE_P(Seeds, AnyOrder, testing::Values(1, 2, 3, kRandomSeed));

}  // namespace
}  // namespace invited::domain
