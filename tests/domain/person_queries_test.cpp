// What apps ask about a person: who gets which answer.
#include "domain/person_queries.h"

#include <gmock/gmock.h>

#include "domain/manage_accounts.h"
#include "domain/manage_apps.h"
#include "domain/openid.h"
#include "domain/use_case_fixture.h"

namespace invited::domain {
namespace {

class PersonQueriesTest : public UseCaseTest {
 protected:
  PersonQueriesTest() {
    write([&](Transaction& t) -> Result<void> {
      ada_ = *add_account("Ada@example.org", "Ada Lovelace", {}, t, now());
      EXPECT_TRUE(grant_access(environment_.id, "ada@example.org", user_.id, t, now()));
      return {};
    });
    openid_ = "https://invite.example.org/id?id=" + ada_->id.to_string();
  }

  PersonQuery query(const std::string& openid) const {
    return {openid, environment_.id.to_string(), password_, "192.0.2.1"};
  }

  std::vector<std::string> roles(const std::string& openid) {
    const auto found = find_roles_of_person(query(openid), *context_);
    EXPECT_TRUE(found) << found.error().message;
    std::vector<std::string> names;
    if (found)
      for (const Role& role : *found) names.push_back(role.name);
    return names;
  }

  void expect_refused(const std::string& openid) {
    const auto found = find_roles_of_person(query(openid), *context_);
    ASSERT_FALSE(found) << openid;
    EXPECT_EQ(found.error().code, ErrorCode::unknown_person) << openid;
    EXPECT_EQ(found.error().parameter, "OpenID");
    EXPECT_FALSE(found.error().message.find(openid) != std::string::npos) << "it may be an address";
  }

  void set(const EnvironmentChange& change) {
    write([&](Transaction& t) -> Result<void> {
      EXPECT_TRUE(set_environment(environment_.id, change, context_->public_url, t, now()));
      return {};
    });
    authenticator_->forget_snapshot();
  }

  std::optional<Account> ada_;
  std::string openid_;
};

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(PersonQueriesTest, RolesAreListedByNameAndFollowEveryChange) {
  EXPECT_THAT(roles(openid_), ElementsAre("User"));
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(grant_access(environment_.id, "ada@example.org", planner_.id, t, now()));
    return {};
  });
  EXPECT_THAT(roles(openid_), ElementsAre("Planner", "User"));
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(revoke_access(environment_.id, "ada@example.org", planner_.id, t, now()));
    EXPECT_TRUE(revoke_access(environment_.id, "ada@example.org", user_.id, t, now()));
    return {};
  });
  EXPECT_THAT(roles(openid_), IsEmpty());
}

TEST_F(PersonQueriesTest, AnOpenIdThatNobodyHasHasNoRoles) {
  EXPECT_THAT(roles("https://invite.example.org/id?id=00000000-0000-4000-8000-000000000000"), IsEmpty());
}

// An empty list would take the roles away from everybody whom the app knows by the old one.
TEST_F(PersonQueriesTest, AnOpenIdOfAnotherFormIsAFaultThatLeavesTheRolesAlone) {
  const std::string table[] = {
      "https://old.example.org/id?id=" + ada_->id.to_string(),
      "MxAdmin",
      openid_ + " ",
      " " + openid_,
      "HTTPS" + openid_.substr(5),
      openid_ + std::string(1000, 'x'),
      "' OR 1=1 --",
  };
  for (const std::string& openid : table) expect_refused(openid);
}

TEST_F(PersonQueriesTest, AChangedPublicUrlWithdrawsNobodysRoles) {
  context_->public_url = "https://new.example.org";
  expect_refused(openid_);
  EXPECT_THAT(roles("https://new.example.org/id?id=" + ada_->id.to_string()), ElementsAre("User"));
  context_->public_url = "https://invite.example.org";
  EXPECT_THAT(roles(openid_), ElementsAre("User"));
}

TEST_F(PersonQueriesTest, TheAccountsIdMustBeWrittenAsItIsMade) {
  std::string upper = openid_;
  for (std::size_t i = upper.size() - 36; i < upper.size(); ++i)
    upper[i] = static_cast<char>(std::toupper(static_cast<unsigned char>(upper[i])));
  ASSERT_NE(upper, openid_);
  expect_refused(upper);
}

TEST_F(PersonQueriesTest, TheTemplateOfTheEnvironmentCounts) {
  set({.name = {}, .openid_template = "{email}", .refresh_url = {}, .refresh_namespace = {}});
  EXPECT_THAT(roles("ada@example.org"), ElementsAre("User"));
  EXPECT_THAT(roles("bob@example.org"), IsEmpty());
  expect_refused("Ada@example.org");
  expect_refused("MxAdmin");
  expect_refused(openid_);
}

TEST_F(PersonQueriesTest, NobodyIsSeenThroughAnotherEnvironment) {
  AddedEnvironment other;
  write([&](Transaction& t) -> Result<void> {
    other = *add_environment({app_.id, "Test", std::nullopt, {}}, authenticator_->pepper(), t, now());
    return {};
  });
  authenticator_->forget_snapshot();
  const PersonQuery asked{openid_, other.environment.id.to_string(), other.password, "192.0.2.1"};
  const auto found = find_roles_of_person(asked, *context_);
  ASSERT_TRUE(found);
  EXPECT_THAT(*found, IsEmpty());
  EXPECT_EQ(find_person(asked, *context_).error().code, ErrorCode::unknown_person);
}

TEST_F(PersonQueriesTest, ADisabledPersonHasNoRolesAndNoProfile) {
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(set_account_disabled("ada@example.org", true, t, now()));
    return {};
  });
  EXPECT_THAT(roles(openid_), IsEmpty());
  EXPECT_EQ(find_person(query(openid_), *context_).error().code, ErrorCode::unknown_person);
}

TEST_F(PersonQueriesTest, TroubleIsAnErrorAndNeverAnEmptyList) {
  PersonQuery wrong = query(openid_);
  wrong.environment_password = base::Secret("wrong");
  EXPECT_EQ(find_roles_of_person(wrong, *context_).error().code, ErrorCode::authentication_failed);
  for (const char* blank : {"", " ", "\n", "\xC2\xA0"}) {
    const auto found = find_roles_of_person(query(blank), *context_);
    ASSERT_FALSE(found) << '"' << blank << '"';
    EXPECT_EQ(found.error().code, ErrorCode::missing_parameter);
    EXPECT_EQ(found.error().parameter, "OpenID");
  }
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(set_environment_disabled(environment_.id, true, t, now()));
    return {};
  });
  // The snapshot is not forgotten: what the transaction sees counts.
  EXPECT_EQ(find_roles_of_person(query(openid_), *context_).error().code, ErrorCode::authentication_failed);
}

TEST_F(PersonQueriesTest, AProfileIsForEnvironmentsToWhichThePersonHasAccess) {
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(set_account("ada@example.org", {std::nullopt, {{ProfileField::job_title, "Analyst & <programmer>"}}}, t,
                            now()));
    return {};
  });
  const auto person = find_person(query(openid_), *context_);
  ASSERT_TRUE(person) << person.error().message;
  EXPECT_EQ(person->openid, openid_);
  EXPECT_EQ(person->account.name, "Ada Lovelace");
  EXPECT_EQ(person->profile.get(ProfileField::job_title), "Analyst & <programmer>");
  EXPECT_EQ(person->profile.get(ProfileField::phone), "");

  const auto nobody =
      find_person(query("https://invite.example.org/id?id=00000000-0000-4000-8000-000000000000"), *context_);
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(revoke_access(environment_.id, "ada@example.org", user_.id, t, now()));
    return {};
  });
  const auto without_access = find_person(query(openid_), *context_);
  ASSERT_FALSE(nobody);
  ASSERT_FALSE(without_access);
  EXPECT_EQ(nobody.error().code, without_access.error().code);
  EXPECT_EQ(nobody.error().message, without_access.error().message) << "whether the person exists is not told";
}

// --- calls that are owed to the app ----------------------------------------------------------------------------------

class RefreshTest : public PersonQueriesTest {
 protected:
  RefreshTest() {
    set({.name = {},
         .openid_template = {},
         .refresh_url = "https://planner.example.org/ws/RefreshAPI",
         .refresh_namespace = {}});
  }

  std::vector<RefreshCall> owed() {
    std::vector<RefreshCall> calls;
    EXPECT_TRUE(store_->read([&](Transaction& t) -> Result<void> {
      calls = t.list_refresh_calls(CallState::queued, {});
      return {};
    }));
    return calls;
  }
  void change_access(bool grant, const Role& role) {
    write([&](Transaction& t) -> Result<void> {
      EXPECT_TRUE(
          (grant ? grant_access : revoke_access)(environment_.id, "ada@example.org", role.id, t, now(), "operator"));
      return {};
    });
  }
};

TEST_F(RefreshTest, AnAppIsToldOfAChangeAndSeveralAreOneCall) {
  EXPECT_THAT(owed(), IsEmpty());
  change_access(true, planner_);
  change_access(false, user_);
  ASSERT_EQ(owed().size(), 1u);
  EXPECT_EQ(owed()[0].account_id, ada_->id);
  EXPECT_EQ(owed()[0].environment_id, environment_.id);
}

TEST_F(RefreshTest, WithdrawingAloneIsTold) {
  change_access(false, user_);
  EXPECT_EQ(owed().size(), 1u);
}

TEST_F(RefreshTest, NothingChangedNothingIsTold) {
  change_access(true, user_);
  change_access(false, planner_);
  EXPECT_THAT(owed(), IsEmpty());
}

TEST_F(RefreshTest, AnAppThatDoesNotWantCallsGetsNone) {
  set({.name = {}, .openid_template = {}, .refresh_url = "", .refresh_namespace = {}});
  change_access(true, planner_);
  EXPECT_THAT(owed(), IsEmpty());
}

TEST_F(RefreshTest, AcceptingAnInvitationIsTold) {
  ASSERT_TRUE(send("new@example.org"));
  ASSERT_TRUE(accept_invitation(sign_up(token_of(invitations()[0])), *context_));
  ASSERT_EQ(owed().size(), 1u);
  EXPECT_EQ(owed()[0].account_id, account("new@example.org")->id);
  EXPECT_EQ(refresh_queued_, 1);
}

TEST_F(RefreshTest, DisablingAPersonIsToldToEveryAppOnce) {
  const auto disable = [&](bool disabled) {
    write([&](Transaction& t) -> Result<void> {
      EXPECT_TRUE(set_account_disabled("ada@example.org", disabled, t, now()));
      return {};
    });
  };
  disable(false);
  EXPECT_THAT(owed(), IsEmpty());
  disable(true);
  EXPECT_EQ(owed().size(), 1u);
}

TEST_F(RefreshTest, ASettingThatCannotServeIsRefused) {
  const std::pair<EnvironmentChange, std::string> table[] = {
      {{"www.example.org", {}, {}, {}}, "name"},
      {{{}, "same for all", {}, {}}, "openid-template"},
      {{{}, {}, "planner.example.org", {}}, "refresh-url"},
      {{{}, {}, "file:///etc/passwd", {}}, "refresh-url"},
      {{{}, {}, "https://user:secret@planner.example.org/", {}}, "refresh-url"},
      {{{}, {}, {}, ""}, "refresh-namespace"},
      {{{}, {}, {}, "\" onload=\""}, "refresh-namespace"},
  };
  for (const auto& [change, parameter] : table)
    write([&](Transaction& t) -> Result<void> {
      const auto changed = set_environment(environment_.id, change, context_->public_url, t, now());
      EXPECT_FALSE(changed) << parameter;
      EXPECT_EQ(changed ? std::string() : changed.error().parameter, parameter);
      return {};
    });
}

}  // namespace
}  // namespace invited::domain
