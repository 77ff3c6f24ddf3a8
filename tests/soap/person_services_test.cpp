// PermissionsAPI and the two ProfileServices on a real store: bytes in, bytes out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>

#include "base/utf8.h"
#include "soap/wsdl_document.h"
#include "support/soap_service_fixture.h"

namespace invited::soap {
namespace {

using domain::ProfileField;
using domain::Result;
using domain::Transaction;
using test::envelope;
using test::kSoap12;
using test::kSoapXml;
using test::repeat;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

using Children = std::vector<std::pair<std::string, std::string>>;

/// How each of the three is called.
struct Operation {
  const char* wsdl;
  const char* name;
  const char* environment;  ///< the name of the parameter with the environment's UUID
};
constexpr Operation kRoles{"PermissionsAPI", "GetRolesForOpenID", "EnvironmentID"};
constexpr Operation kProfile{"ProfileService", "GetUserProfile", "EnvironmentUUID"};
constexpr Operation kName{"ProfileService-1", "GetDisplayName", "EnvironmentUUID"};
constexpr Operation kOperations[] = {kRoles, kProfile, kName};

class PersonServicesTest : public test::SoapServiceTest {
 protected:
  PersonServicesTest() { openid_ = openid_of(*inviter_); }

  static std::string openid_of(const domain::Account& account) {
    return "https://invite.example.org/id?id=" + account.id.to_string();
  }

  static const Service& service_of(const Operation& operation) {
    return *std::ranges::find(services(), std::string_view(operation.wsdl), &Service::wsdl);
  }

  /// A call that succeeds, to be changed where a test cares.
  Children children(const Operation& operation) const {
    return {{"OpenID", openid_},
            {operation.environment, environment_.id.to_string()},
            {"EnvironmentPassword", std::string(password_.reveal())}};
  }
  Children children_with(const Operation& operation, const std::string& name, const std::string& value) const {
    auto changed = children(operation);
    for (auto& child : changed)
      if (child.first == name) child.second = value;
    return changed;
  }

  SoapAnswer call(const Operation& operation, const Children& children, std::string_view version = test::kSoap11) {
    Endpoint endpoint(service_of(operation), engine_, *context_);
    const auto body = envelope(test::wrapped(operation.name, children), "", version);
    return test::handle(endpoint, {body, version == kSoap12 ? kSoapXml : test::kTextXml, {}, "192.0.2.1"});
  }
  SoapAnswer call(const Operation& operation) { return call(operation, children(operation)); }
  std::string summary(const Operation& operation, const Children& children) {
    return test::read_answer(call(operation, children)).summary();
  }
  std::string summary(const Operation& operation) { return summary(operation, children(operation)); }

  /// Name and text of each element in the UserProfile; "nil" where it says so, as the value "(nil)".
  Children profile() {
    const auto answer = call(kProfile);
    EXPECT_EQ(answer.status, 200) << answer.body;
    pugi::xml_document document;
    document.load_string(answer.body.c_str());
    Children members;
    for (const auto member : document.select_node("//UserProfile").node().children()) {
      const bool nil = std::string_view(member.attribute("xsi:nil").value()) == "true";
      members.emplace_back(member.name(), nil ? "(nil)" : member.text().get());
    }
    return members;
  }
  std::string member(const std::string& name) {
    for (const auto& [found, value] : profile())
      if (found == name) return value;
    return "(absent)";
  }

  void set_profile(const std::vector<std::pair<ProfileField, std::string>>& fields) {
    write([&](Transaction& t) -> Result<void> {
      auto profile = t.find_profile(inviter_->id);
      for (const auto& [field, value] : fields) profile.set(field, value);
      t.set_profile(inviter_->id, profile);
      return {};
    });
  }
  void set_name(const std::string& name) {
    write([&](Transaction& t) -> Result<void> {
      auto account = *t.find_account(inviter_->id);
      account.name = name;
      t.update(account);
      return {};
    });
  }

  void run_sql(const std::string& sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open((directory_.path() / "invited.db").c_str(), &database), SQLITE_OK);
    sqlite3_busy_timeout(database, 5'000);  // the store is another program for it, which writes when it likes
    char* problem = nullptr;
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &problem), SQLITE_OK) << problem;
    sqlite3_close(database);
  }

  std::string openid_;
};

// --- roles -----------------------------------------------------------------------------------------------------------

TEST_F(PersonServicesTest, ListsRolesDirectlyInTheWrapperAndDeclaresOnlyWhatItUses) {
  const auto answer = call(kRoles);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "text/xml; charset=utf-8");
  EXPECT_TRUE(answer.headers.empty());
  EXPECT_EQ(answer.body,
            "<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\"><SOAP-ENV:Body>"
            "<tns:GetRolesForOpenIDResponse xmlns:tns=\"http://www.example.com/\">"
            "<AppRole><UUID>" +
                user_.id.to_string() +
                "</UUID><DisplayName>User</DisplayName></AppRole>"
                "</tns:GetRolesForOpenIDResponse></SOAP-ENV:Body></SOAP-ENV:Envelope>\r\n");
}

TEST_F(PersonServicesTest, ListsEveryRoleOfThePersonInTheEnvironment) {
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(domain::grant_access(environment_.id, "grace@example.org", planner_.id, t, now()));
    return {};
  });
  pugi::xml_document document;
  document.load_string(call(kRoles).body.c_str());
  std::vector<std::string> names;
  for (const auto& name : document.select_nodes("//tns:GetRolesForOpenIDResponse/AppRole/DisplayName"))
    names.emplace_back(name.node().text().get());
  EXPECT_THAT(names, ElementsAre("Planner", "User"));
}

TEST_F(PersonServicesTest, AnOpenIdThatTheTemplateNeverMakesIsAFaultAndNeverAnEmptyList) {
  for (const auto& openid : {std::string("grace@example.org"), std::string("x"), openid_ + " ", "x" + openid_,
                             repeat("\xF0\x9F\x98\x80", 256)}) {
    const auto answer = call(kRoles, children_with(kRoles, "OpenID", openid));
    EXPECT_EQ(test::read_answer(answer).summary(), "500 Client unknown_person") << openid;
    EXPECT_EQ(test::read_answer(answer).parameter, "OpenID");
    EXPECT_THAT(answer.body, Not(HasSubstr("Response"))) << openid;
  }
}

TEST_F(PersonServicesTest, ListsNothingForWhoHasNoAccess) {
  const std::string empty =
      "<tns:GetRolesForOpenIDResponse xmlns:tns=\"http://www.example.com/\"></tns:GetRolesForOpenIDResponse>";
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(domain::add_account("ada@example.org", "Ada Lovelace", {}, t, now()));
    return {};
  });
  const std::string openids[] = {
      "https://invite.example.org/id?id=00000000-0000-4000-8000-000000000000",
      openid_of(*account("ada@example.org")),
  };
  for (const auto& openid : openids) {
    const auto answer = call(kRoles, children_with(kRoles, "OpenID", openid));
    EXPECT_EQ(answer.status, 200) << openid;
    EXPECT_THAT(answer.body, HasSubstr(empty)) << openid;
  }
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(domain::set_account_disabled("grace@example.org", true, t, now()));
    return {};
  });
  EXPECT_THAT(call(kRoles).body, HasSubstr(empty)) << "a disabled account";
}

TEST_F(PersonServicesTest, CutsARolesNameBetweenCharacters) {
  const std::string astronaut = "👩\u200d🚀";
  write([&](Transaction& t) -> Result<void> {
    auto role = user_;
    role.name = repeat("n", 198) + astronaut;
    t.update(role);
    return {};
  });
  EXPECT_THAT(call(kRoles).body, HasSubstr("<DisplayName>" + repeat("n", 198) + "</DisplayName>"));
}

TEST_F(PersonServicesTest, TakesEnvironmentUuidForEnvironmentId) {
  auto renamed = children(kRoles);
  renamed[1].first = "EnvironmentUUID";
  EXPECT_EQ(call(kRoles, renamed).body, call(kRoles).body);

  auto both = children(kRoles);
  both.emplace_back("EnvironmentUUID", environment_.id.to_string());
  const auto refused = test::read_answer(call(kRoles, both));
  EXPECT_EQ(refused.summary(), "500 Client malformed_request");
  EXPECT_EQ(refused.parameter, "EnvironmentID");
  EXPECT_THAT(refused.text, HasSubstr("EnvironmentUUID"));

  auto twice = renamed;
  twice.push_back(renamed[1]);
  EXPECT_EQ(summary(kRoles, twice), "500 Client malformed_request");

  // It is the environment that is logged, whatever the name.
  testing::internal::CaptureStderr();
  renamed[2].second = "wrong";
  EXPECT_EQ(summary(kRoles, renamed), "500 Client authentication_failed");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("environment=" + environment_.id.to_string()));

  // The other services have no such name.
  for (const auto& operation : {kProfile, kName}) {
    auto children = this->children(operation);
    children[1].first = "EnvironmentID";
    EXPECT_EQ(summary(operation, children), "500 Client malformed_request");
  }
}

// --- profile ---------------------------------------------------------------------------------------------------------

TEST_F(PersonServicesTest, AnswersAFullProfileInTheContractsOrder) {
  set_profile({{ProfileField::avatar_url, "https://example.org/a.png"},
               {ProfileField::avatar_thumbnail_url, "https://example.org/t.png"},
               {ProfileField::job_title, "Rear admiral & <analyst>"},
               {ProfileField::department, "Navy"},
               {ProfileField::location, "Arlington"},
               {ProfileField::country, "USA"},
               {ProfileField::bio, "One line\nand é漢🙂"},
               {ProfileField::website, "https://example.org/"},
               {ProfileField::phone, "+1 555 0100"},
               {ProfileField::linkedin, "grace"},
               {ProfileField::twitter, "@grace"},
               {ProfileField::skype, "grace.h"},
               {ProfileField::company_id, "4711"},
               {ProfileField::company, "Eckert–Mauchly"}});
  EXPECT_THAT(
      profile(),
      ElementsAre(
          Pair("OpenId", openid_), Pair("DisplayName", "Grace Hopper"), Pair("EmailAddress", "grace@example.org"),
          Pair("AvatarUrl", "https://example.org/a.png"), Pair("AvatarThumbnailUrl", "https://example.org/t.png"),
          Pair("JobTitle", "Rear admiral & <analyst>"), Pair("Department", "Navy"), Pair("Location", "Arlington"),
          Pair("Country", "USA"), Pair("Bio", "One line\nand é漢🙂"), Pair("Website", "https://example.org/"),
          Pair("Phone", "+1 555 0100"), Pair("LinkedIn", "grace"), Pair("Twitter", "@grace"), Pair("Skype", "grace.h"),
          Pair("CompanyId", "4711"), Pair("Company", "Eckert–Mauchly"), Pair("UserProfile_Company", "")));
  const auto answer = call(kProfile).body;
  EXPECT_THAT(answer, HasSubstr("<UserProfile_Company><Company><CompanyId>4711</CompanyId><CompanyName>Eckert–Mauchly"
                                "</CompanyName></Company></UserProfile_Company>"));
  EXPECT_THAT(answer, Not(HasSubstr("XMLSchema"))) << "xsi is declared only where something is nil";
}

TEST_F(PersonServicesTest, AnswersWithNilWhatIsNotKnown) {
  const auto answer = call(kProfile).body;
  pugi::xml_document document;
  ASSERT_TRUE(document.load_string(answer.c_str()));
  std::size_t nil = 0;
  for (const auto& [name, value] : profile()) nil += value == "(nil)" ? 1 : 0;
  EXPECT_EQ(nil, domain::kProfileFields.size());
  for (const auto& node : document.select_nodes("//*[@xsi:nil]")) EXPECT_STREQ(node.node().text().get(), "");
  EXPECT_THAT(answer, HasSubstr("xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""));
  EXPECT_THAT(answer, Not(HasSubstr("UserProfile_Company"))) << "nothing is known of a company";
}

TEST_F(PersonServicesTest, AnswersTheCompanyWhereEitherHalfIsKnown) {
  set_profile({{ProfileField::company, "Navy"}});
  EXPECT_EQ(member("UserProfile_Company"), "");
  EXPECT_EQ(member("CompanyId"), "(nil)");
  EXPECT_THAT(call(kProfile).body, HasSubstr("<CompanyName>Navy</CompanyName>"));
  set_profile({{ProfileField::company, ""}, {ProfileField::company_id, "7"}});
  EXPECT_EQ(member("UserProfile_Company"), "");
  EXPECT_EQ(member("Company"), "(nil)");
  EXPECT_THAT(call(kProfile).body, HasSubstr("<Company><CompanyId>7</CompanyId>"));
}

TEST_F(PersonServicesTest, CutsToTheContractsLengthsBetweenCharacters) {
  // The WSDL's lengths are those that we cut to.
  const auto description = describe_wsdl(find_wsdl("ProfileService"));
  const auto& members = description.operations.at(0).answer.at(0).members;
  const auto length_of = [&](const std::string& name) {
    return std::ranges::find(members, name, &MemberDescription::name)->max_length;
  };
  const struct {
    ProfileField field;
    const char* name;
    std::size_t length;
  } cases[] = {
      {ProfileField::avatar_url, "AvatarUrl", 500}, {ProfileField::avatar_thumbnail_url, "AvatarThumbnailUrl", 500},
      {ProfileField::job_title, "JobTitle", 200},   {ProfileField::department, "Department", 200},
      {ProfileField::location, "Location", 200},    {ProfileField::country, "Country", 200},
      {ProfileField::website, "Website", 400},      {ProfileField::phone, "Phone", 20},
      {ProfileField::linkedin, "LinkedIn", 400},    {ProfileField::twitter, "Twitter", 400},
      {ProfileField::skype, "Skype", 100},          {ProfileField::company_id, "CompanyId", 200},
      {ProfileField::company, "Company", 100},
  };
  for (const auto& [field, name, length] : cases) {
    EXPECT_EQ(length_of(name), length) << name;
    const std::string fits = repeat("漢", length - 1);
    set_profile({{field, fits + "é"}});
    EXPECT_EQ(member(name), fits + "é") << "what fits is whole";
    set_profile({{field, fits + "éé"}});
    EXPECT_EQ(member(name), fits + "é");
    set_profile({{field, fits + "e\u0301"}});
    EXPECT_EQ(member(name), fits) << "no letter loses its accent";
  }
  EXPECT_EQ(length_of("OpenId"), 400U);
  EXPECT_EQ(length_of("DisplayName"), 200U);
  EXPECT_EQ(length_of("EmailAddress"), 200U);
  EXPECT_EQ(length_of("Bio"), 0U) << "no limit";
  set_name(repeat("é", 201));
  EXPECT_EQ(member("DisplayName"), repeat("é", 200));
  const std::string bio = repeat("漢字 ", 600);
  set_profile({{ProfileField::bio, bio}});
  EXPECT_EQ(member("Bio"), bio);
}

TEST_F(PersonServicesTest, KeepsAnAddressThatDoesNotFitToItselfSinceACutOneIsSomebodyElses) {
  const std::string local = repeat("g", 60);
  const auto address = [&](std::size_t length) {
    std::string domain = repeat("a", 60) + "." + repeat("b", 60) + ".";
    const std::string end = ".org";
    domain += repeat("c", length - local.size() - 1 - domain.size() - end.size()) + end;
    return local + "@" + domain;
  };
  for (const std::size_t length : {200U, 201U}) {
    const auto email = address(length);
    ASSERT_EQ(email.size(), length);
    write([&](Transaction& t) -> Result<void> {
      inviter_ = *domain::add_account(email, "Grace Hopper", {}, t, now());
      EXPECT_TRUE(domain::grant_access(environment_.id, email, user_.id, t, now()));
      return {};
    });
    openid_ = openid_of(*inviter_);
    EXPECT_EQ(member("EmailAddress"), length == 200 ? email : "(nil)");
  }
}

TEST_F(PersonServicesTest, AnswersTheOpenIdOfTheQuestionAsTheEnvironmentMakesIt) {
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(domain::set_environment(
        environment_.id, {.name = {}, .openid_template = "{email}", .refresh_url = {}, .refresh_namespace = {}},
        context_->public_url, t, now()));
    return {};
  });
  authenticator_->forget_snapshot();
  EXPECT_EQ(summary(kProfile), "500 Client unknown_person");
  openid_ = "grace@example.org";
  EXPECT_EQ(member("OpenId"), openid_);
  EXPECT_THAT(call(kRoles).body, HasSubstr("<DisplayName>User</DisplayName>"));
}

// --- name ------------------------------------------------------------------------------------------------------------

TEST_F(PersonServicesTest, AnswersTheNameWhole) {
  const std::string name = "Ann & <é漢> 🙂";
  set_name(name);
  EXPECT_EQ(call(kName).body,
            "<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\"><SOAP-ENV:Body>"
            "<tns:GetDisplayNameResponse xmlns:tns=\"http://www.example.com/\">"
            "<Result>Ann &amp; &lt;é漢&gt; 🙂</Result>"
            "</tns:GetDisplayNameResponse></SOAP-ENV:Body></SOAP-ENV:Envelope>\r\n");
}

// --- all of them -----------------------------------------------------------------------------------------------------

TEST_F(PersonServicesTest, AnswerInTheVersionOfTheCall) {
  for (const auto& operation : kOperations) {
    const auto old = call(operation);
    const auto answer = call(operation, children(operation), kSoap12);
    EXPECT_EQ(answer.status, 200) << operation.name;
    EXPECT_EQ(answer.content_type, "application/soap+xml; charset=utf-8");
    EXPECT_EQ(answer.body, test::with(test::kSoap11, kSoap12, old.body)) << "nothing else differs";
    const auto refused =
        test::read_answer(call(operation, children_with(operation, "EnvironmentPassword", "wrong"), kSoap12));
    EXPECT_EQ(refused.summary(), "400 Sender authentication_failed");
  }
}

TEST_F(PersonServicesTest, TakeParametersInAnyOrder) {
  for (const auto& operation : kOperations) {
    auto children = this->children(operation);
    const auto expected = call(operation).body;
    std::ranges::sort(children);
    do EXPECT_EQ(call(operation, children).body, expected);
    while (std::ranges::next_permutation(children).found);
  }
}

TEST_F(PersonServicesTest, RefuseBadInputWithAFaultOnly) {
  struct Case {
    const char* what;
    std::string parameter;
    std::string value;
    const char* expected;
    const char* names;
  };
  for (const auto& operation : kOperations) {
    const Case cases[] = {
        {"no OpenID", "OpenID", "", "500 Client missing_parameter", "OpenID"},
        {"a blank OpenID", "OpenID", " \n\t ", "500 Client missing_parameter", "OpenID"},
        {"no environment", operation.environment, "", "500 Client authentication_failed", ""},
        {"an environment that is no UUID", operation.environment, "x' OR 1=1", "500 Client authentication_failed", ""},
        {"an unknown environment", operation.environment, "4e3b7d32-51c4-4a4b-9f8e-0a4a1b2c3d4e",
         "500 Client authentication_failed", ""},
        {"no password", "EnvironmentPassword", "", "500 Client authentication_failed", ""},
        {"a wrong password", "EnvironmentPassword", "wrong", "500 Client authentication_failed", ""},
        {"the UUID as password", "EnvironmentPassword", environment_.id.to_string(), "500 Client authentication_failed",
         ""},
        {"a value that is too long", "OpenID", repeat("x", 1025), "500 Client malformed_request", "OpenID"},
        {"markup in a value", "OpenID", "<b>x</b>", "400 Client malformed_request", "OpenID"},
        {"broken XML", "OpenID", "a & b", "400 Client malformed_request", ""},
    };
    for (const auto& [what, parameter, value, expected, names] : cases) {
      const auto answer = call(operation, children_with(operation, parameter, value));
      const auto fault = test::read_answer(answer);
      EXPECT_EQ(fault.summary(), expected) << operation.name << ": " << what;
      EXPECT_EQ(fault.parameter, names) << operation.name << ": " << what;
      EXPECT_FALSE(fault.text.empty());
      EXPECT_THAT(answer.body, Not(HasSubstr("Response")));
    }
    auto repeated = children(operation);
    repeated.push_back(repeated.front());
    EXPECT_EQ(summary(operation, repeated), "500 Client malformed_request");
    auto unknown = children(operation);
    unknown.emplace_back("OpenId", openid_);
    EXPECT_EQ(summary(operation, unknown), "500 Client malformed_request") << "letter case counts";
    for (const auto* absent : {"OpenID", operation.environment, "EnvironmentPassword"}) {
      auto fewer = children(operation);
      std::erase_if(fewer, [&](const auto& child) { return child.first == absent; });
      EXPECT_THAT(summary(operation, fewer), testing::StartsWith("500 Client ")) << absent;
    }
    const Operation other{operation.wsdl, "SendInvite", operation.environment};
    EXPECT_EQ(summary(other, children(operation)), "500 Client malformed_request");
  }
}

TEST_F(PersonServicesTest, TheServicesAboutOnePersonDoNotTellWhetherThePersonExists) {
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(domain::add_account("ada@example.org", "Ada Lovelace", {}, t, now()));
    return {};
  });
  const auto without_access = openid_of(*account("ada@example.org"));
  const std::string nobody = "https://invite.example.org/id?id=00000000-0000-4000-8000-000000000000";
  for (const auto& operation : {kProfile, kName}) {
    const auto expected = call(operation, children_with(operation, "OpenID", nobody));
    const auto fault = test::read_answer(expected);
    EXPECT_EQ(fault.summary(), "500 Client unknown_person");
    EXPECT_EQ(fault.parameter, "OpenID");
    EXPECT_EQ(call(operation, children_with(operation, "OpenID", without_access)).body, expected.body);
    EXPECT_EQ(call(operation, children_with(operation, "OpenID", "x")).body, expected.body);
  }
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(domain::set_account_disabled("grace@example.org", true, t, now()));
    return {};
  });
  for (const auto& operation : {kProfile, kName}) EXPECT_EQ(summary(operation), "500 Client unknown_person");
}

TEST_F(PersonServicesTest, NobodyIsAnsweredAboutAnotherEnvironmentsPeople) {
  domain::AddedEnvironment other;
  write([&](Transaction& t) -> Result<void> {
    other = *domain::add_environment({app_.id, "Test", std::nullopt, {}}, authenticator_->pepper(), t, now());
    return {};
  });
  authenticator_->forget_snapshot();
  for (const auto& operation : kOperations) {
    auto children = children_with(operation, operation.environment, other.environment.id.to_string());
    EXPECT_EQ(summary(operation, children), "500 Client authentication_failed") << "with this one's password";
    children[2].second = other.password.reveal();
    const auto answer = call(operation, children);
    if (operation.name == kRoles.name) {
      EXPECT_THAT(answer.body, Not(HasSubstr("AppRole")));
    } else {
      EXPECT_EQ(test::read_answer(answer).summary(), "500 Client unknown_person");
    }
  }
}

TEST_F(PersonServicesTest, AnyTroubleOfStorageIsAFaultThatSaysSoAndNeverAnEmptyList) {
  for (const auto& operation : kOperations) ASSERT_EQ(summary(operation), "200");
  for (const std::string table : {"access", "role", "account", "profile_value", "environment"}) {
    run_sql("ALTER TABLE " + table + " RENAME TO away");
    for (const auto& operation : kOperations) {
      const bool asked = (table != "role" || operation.name == kRoles.name) &&
                         (table != "profile_value" || operation.name != kRoles.name);
      const auto answer = call(operation);
      EXPECT_EQ(test::read_answer(answer).summary(), asked ? "500 Server unavailable" : "200")
          << operation.name << " without " << table;
      if (asked) {
        EXPECT_THAT(answer.body, Not(HasSubstr("Response")));
      }
    }
    run_sql("ALTER TABLE away RENAME TO " + table);
    for (const auto& operation : kOperations) EXPECT_EQ(summary(operation), "200") << "it recovers";
  }
  // Where not even the environments are known any more.
  run_sql("ALTER TABLE environment RENAME TO away");
  authenticator_->forget_snapshot();
  for (const auto& operation : kOperations) EXPECT_EQ(summary(operation), "500 Server unavailable");
}

TEST_F(PersonServicesTest, WrongPasswordsAreSlowedHereToo) {
  for (const auto& operation : kOperations) {
    std::string last;
    for (int i = 0; i < 12; ++i) last = summary(operation, children_with(operation, "EnvironmentPassword", "wrong"));
    EXPECT_EQ(last, "500 Client rate_limited");
    EXPECT_EQ(summary(operation), "200") << "the right one passes";
  }
}

TEST_F(PersonServicesTest, WhatTheDocumentationListsAsFaultsIsWhatComes) {
  for (const auto& operation : kOperations) {
    const auto faults = service_of(operation).faults;
    for (const auto code : {domain::ErrorCode::authentication_failed, domain::ErrorCode::missing_parameter,
                            domain::ErrorCode::rate_limited, domain::ErrorCode::unavailable})
      EXPECT_NE(std::ranges::find(faults, code), faults.end()) << operation.name << " " << domain::to_string(code);
    EXPECT_EQ(std::ranges::find(faults, domain::ErrorCode::outcome_unknown), faults.end())
        << "nothing is written, so every outcome is known";
    EXPECT_NE(std::ranges::find(faults, domain::ErrorCode::unknown_person), faults.end()) << operation.name;
  }
}

TEST_F(PersonServicesTest, NeitherPasswordNorPersonIsLogged) {
  testing::internal::CaptureStderr();
  for (const auto& operation : kOperations) {
    call(operation);
    call(operation, children_with(operation, "EnvironmentPassword", "wr0ng-secret"));
    call(operation, children_with(operation, "OpenID", "nobody@example.org"));
  }
  const auto log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("soap.fault code=authentication_failed"));
  for (const auto& secret : {std::string(password_.reveal()), std::string("wr0ng-secret"), openid_,
                             std::string("nobody@example.org"), std::string("Grace")})
    EXPECT_THAT(log, Not(HasSubstr(secret)));
}

}  // namespace
}  // namespace invited::soap
