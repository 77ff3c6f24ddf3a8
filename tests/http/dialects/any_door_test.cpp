// Any order of calls through any of the JSON doors, SOAP's use case and the pages' leaves the states that a small model
// predicts (tests/domain/states_model.h), and answers with the status that fits. A failure names its seed.
#include <gtest/gtest.h>

#include <map>

#include "domain/compared_worlds.h"
#include "domain/role_alias.h"
#include "http/api/strict_json.h"
#include "http/dialects/dialects.h"
#include "http/dialects/medusa_shapes.h"
#include "support/fault_form.h"

namespace invited::http {
namespace {

using namespace std::chrono_literals;
using domain::InvitationState;
using domain::ModelInvitation;
using domain::StatesModel;

/// What the model says, as a status.
int status_of_outcome(const std::string& outcome) {
  static const std::map<std::string, int> kStatuses{{"authentication_failed", 401},
                                                    {"not_allowed", 403},
                                                    {"role_not_allowed", 403},
                                                    {"not_found", 404},
                                                    {"invalid_parameter", 400}};
  const auto found = kStatuses.find(outcome);
  return found == kStatuses.end() ? 200 : found->second;
}

class AnyDoorTest : public domain::ComparedWorlds {
 protected:
  AnyDoorTest() {
    add_v1_routes(router_, *context_);
    add_gorules_routes(router_, *context_);
    add_base44_routes(router_, *context_);
    add_medusa_routes(router_, *context_);
    write([&](domain::Transaction& t) -> domain::Result<void> {
      for (int role = 0; role < StatesModel::kRoles; ++role)
        for (const char* dialect : {"base44", "medusa"})
          EXPECT_TRUE(domain::map_role(app_, dialect, alias(role), role_id(role), t, now()));
      EXPECT_TRUE(domain::map_role(app_, "gorules", "default", role_id(0), t, now()));
      return {};
    });
  }

  static std::string alias(int role) { return "role" + std::to_string(role); }

  std::string step() override {
    model_.now = now();
    const int token = pick(static_cast<int>(tokens_.size()));
    const int environment = pick(StatesModel::kEnvironments);
    const int person = pick(StatesModel::kPeople);
    const std::vector<int> roles = pick_roles();
    const bool send = pick(4) != 0;
    switch (pick(ids_.empty() ? 7 : 16)) {
      case 0:
      case 1:
        return invite_by_v1(token, person, roles, send);
      case 2:
        return invite_by_gorules(token, person);
      case 3:
        return invite_by_base44(token, person, roles.front());
      case 4:
        return invite_by_medusa(token, person, roles);
      case 5: {
        const int inviter = pick(2);
        const std::string predicted = model_.invite_by_password(environment, inviter, person, roles.front());
        const auto done = send_by_password(environment, inviter, person, roles.front());
        const std::string told(done ? to_string(done->effect) : to_string(done.error().code));
        EXPECT_EQ(told, predicted) << "SendInvite";
        note_new_invitation();
        return "SendInvite -> " + told;
      }
      case 6:
        return change_the_world(environment, person, roles.front());
      default:
        return step_with_invitation(token, roles, send);
    }
  }

 private:
  // --- inviting ---------------------------------------------------------------------------------------

  std::string invite_by_v1(int token, int person, const std::vector<int>& roles, bool send) {
    Json ids = Json::array();
    for (const int role : roles) ids.push_back(role_id(role).to_string());
    const std::string predicted = model_.invite_by_token(token, person, roles, send);
    const int status =
        call(token, "POST", "/api/v1/invitations", {{"email", kEmails[index(person)]}, {"roles", ids}, {"send", send}});
    return judge("v1 invite", status, predicted == "invited" ? 201 : status_of_outcome(predicted));
  }

  std::string invite_by_gorules(int token, int person) {
    const std::string predicted = model_.invite_by_token(token, person, {0}, /*send=*/true);
    return judge("GoRules invite", call(token, "POST", "/api/users", {{"emails", {kEmails[index(person)]}}}),
                 status_of_outcome(predicted));
  }

  std::string invite_by_base44(int token, int person, int role) {
    const std::string predicted = model_.invite_by_token(token, person, {role}, /*send=*/true);
    const Json body{{"user_email", kEmails[index(person)]}, {"role", alias(role)}};
    return judge("Base44 invite", call(token, "POST", "/api/apps/APP1/users/invite-user", body),
                 status_of_outcome(predicted));
  }

  /// Medusa invites nobody who is there or was invited already, however long ago; whether the caller may is asked
  /// first.
  std::string invite_by_medusa(int token, int person, const std::vector<int>& roles) {
    const domain::ModelToken& who = model_.tokens[index(token)];
    const bool is_user = model_.accounts.contains(person) && model_.has_any_access(person, who.environment);
    const bool is_known = is_user || find_pending(who.environment, person) != nullptr;
    std::string predicted = StatesModel(model_).invite_by_token(token, person, roles, /*send=*/true);
    if (is_known && status_of_outcome(predicted) == 200)
      predicted = "invalid_parameter";
    else
      predicted = model_.invite_by_token(token, person, roles, /*send=*/true);
    Json names = Json::array();
    for (const int role : roles) names.push_back(alias(role));
    return judge("Medusa invite",
                 call(token, "POST", "/admin/invites", {{"email", kEmails[index(person)]}, {"roles", names}}),
                 status_of_outcome(predicted));
  }

  // --- what there is --------------------------------------------------------------------------------

  std::string step_with_invitation(int token, const std::vector<int>& roles, bool send) {
    const auto pending = pick(4) == 0 ? std::nullopt : pick_pending();
    const std::size_t number = pending.value_or(index(pick(static_cast<int>(ids_.size()))));
    ModelInvitation& one = model_.invitations[number];
    if (pick(4) != 0) token = pick_token_of(one.environment);
    const std::string id = ids_[number].to_string();
    const std::string medusa = "/admin/invites/" + medusa_id(MedusaKind::invite, ids_[number]);
    const bool is_ours = one.environment == model_.tokens[index(token)].environment;
    const bool works = model_.works(token);
    switch (pick(9)) {
      case 0:
        return judge("v1 resend", call(token, "POST", "/api/v1/invitations/" + id + "/resend", {{"send", send}}),
                     status_of_outcome(model_.resend_by_token(token, one, send)));
      case 1: {  // of whoever was invited in its place, if somebody was
        ModelInvitation* newest = is_ours ? find_pending(one.environment, one.invitee) : nullptr;
        const std::string predicted = !works              ? "authentication_failed"
                                      : !is_ours          ? "not_found"
                                      : newest == nullptr ? "invalid_parameter"
                                                          : model_.resend_by_token(token, *newest, /*send=*/true);
        return judge("GoRules resend", call(token, "POST", "/api/users/" + id + "/invitation"),
                     status_of_outcome(predicted));
      }
      case 2: {
        const bool is_there = is_ours && one.state == InvitationState::pending;
        const std::string predicted =
            works && !is_there ? "invalid_parameter" : model_.resend_by_token(token, one, /*send=*/true);
        return judge("Medusa resend", call(token, "POST", medusa + "/resend"), status_of_outcome(predicted));
      }
      case 3:
      case 4: {
        const bool by_v1 = pick(2) == 0;
        const std::string predicted = model_.revoke_by_token(token, one);
        const int status = call(token, "DELETE", by_v1 ? "/api/v1/invitations/" + id : "/api/invitations/" + id);
        const int expected = status_of_outcome(predicted);
        return judge(by_v1 ? "v1 revoke" : "GoRules revoke", status, !by_v1 && expected == 200 ? 204 : expected);
      }
      case 5: {  // what is not there is deleted already
        const bool is_there = is_ours && one.state == InvitationState::pending;
        const std::string predicted = works && !is_there ? "done" : model_.revoke_by_token(token, one);
        return judge("Medusa delete", call(token, "DELETE", medusa), status_of_outcome(predicted));
      }
      case 6: {
        Json ids = Json::array();
        for (const int role : roles) ids.push_back(role_id(role).to_string());
        return judge("v1 change", call(token, "PATCH", "/api/v1/invitations/" + id, {{"roles", ids}}),
                     status_of_outcome(model_.change_roles(token, one, roles)));
      }
      default: {
        const std::string predicted = model_.accept(one, one.generation);
        domain::AcceptInvitation request = sign_up(domain::make_token(keys_, {ids_[number], one.generation}));
        request.client_address = client();
        const auto done = domain::accept_invitation(request, *context_);
        EXPECT_EQ(done ? "done" : std::string(to_string(done.error().code)), predicted);
        return "accept " + std::to_string(number) + " -> " + predicted;
      }
    }
  }

  std::string change_the_world(int environment, int person, int role) {
    switch (pick(6)) {
      case 0:
        if (model_.accounts.contains(person)) change_access(person, environment, role, pick(2) == 0);
        return "access";
      case 1:
        if (model_.disabled.empty())
          set_disabled(environment, true);
        else
          set_disabled(*model_.disabled.begin(), false);
        return "disable";
      case 2:
        toggle_grants();
        return "grants";
      default:
        clock_.advance(std::array<std::chrono::seconds, 4>{20s, 61s, 24h, 7 * 24h}[index(pick(4))]);
        return "wait";
    }
  }

  // --- small help -------------------------------------------------------------------------------------

  ModelInvitation* find_pending(int environment, int invitee) {
    for (ModelInvitation& one : model_.invitations)
      if (one.environment == environment && one.invitee == invitee && one.state == InvitationState::pending)
        return &one;
    return nullptr;
  }

  std::string judge(const std::string& what, int status, int expected) {
    EXPECT_EQ(status, expected) << what;
    note_new_invitation();
    return what + " -> " + std::to_string(status);
  }

  int call(int token, const std::string& method, const std::string& path, const Json& body = nullptr) {
    Request request;
    request.method = method;
    request.path = path;
    request.client_address = client();
    request.headers.add("Authorization", "Bearer " + std::string(tokens_[index(token)].text.reveal()));
    request.headers.add("Content-Type", "application/json");
    if (!body.is_null()) request.body = body.dump();
    auto match = router_.match(method, path);
    EXPECT_NE(match.route, nullptr) << method << ' ' << path;
    if (match.route == nullptr) return 0;
    request.path_parameters = std::move(match.path_parameters);
    return match.route->handler(request).status;
  }

  Router router_;
};

class AnyDoor : public AnyDoorTest, public testing::WithParamInterface<int> {};

TEST_P(AnyDoor, LeavesWhatTheModelPredicts) { run(domain::seed_of(GetParam()), test::rounds(1'000, 20'000)); }

INSTANTIATE_TEST_SUITE_P(Seeds, AnyDoor, testing::Values(1, 2, domain::kRandomSeed));

}  // namespace
}  // namespace invited::http
