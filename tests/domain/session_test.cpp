// Signing in to our own pages, editing the profile, and the link for a forgotten password.
#include "domain/session.h"

#include <functional>
#include <utility>

#include "domain/manage_accounts.h"
#include "domain/reset_password.h"
#include "domain/use_case_fixture.h"

namespace invited::domain {
namespace {

using namespace std::chrono_literals;

constexpr const char* kOtherPassword = "umbrella granite tempo";
constexpr const char* kClient = "192.0.2.7";

class SessionTest : public UseCaseTest {
 protected:
  SessionTest() {
    const std::string hash = hasher_.hash(base::Secret(kGoodPassword));
    write([&](Transaction& t) -> Result<void> {
      EXPECT_TRUE(add_account("ada@example.org", "Ada Lovelace", hash, t, now()));
      EXPECT_TRUE(add_account("nopassword@example.org", "No Password", {}, t, now()));
      return {};
    });
  }

  Result<SignedIn> sign_in_as(const std::string& email, const std::string& password, const std::string& previous = {}) {
    clock_.advance(1min);  // away from the limit of a client's attempts
    return sign_in({email, base::Secret(password), kClient, previous}, *context_);
  }
  std::string token() { return std::string(sign_in_as("ada@example.org", kGoodPassword)->token.reveal()); }
  bool is_signed_in(const std::string& token) {
    const auto found = find_signed_in(token, *context_);
    EXPECT_TRUE(found);
    return found && found->has_value();
  }
  void with_ada(const std::function<void(Transaction&)>& change) {
    write([&](Transaction& t) -> Result<void> {
      change(t);
      return {};
    });
  }
};

TEST_F(SessionTest, TheRightPasswordSignsInWhateverTheLettersOfTheAddress) {
  const auto signed_in = sign_in_as("ADA@Example.org", kGoodPassword);
  ASSERT_TRUE(signed_in) << signed_in.error().message;
  EXPECT_EQ(signed_in->token.reveal().size(), 43u);
  EXPECT_EQ(signed_in->expires_at, now() + policy_.session_lifetime);
  const auto person = find_signed_in(signed_in->token.reveal(), *context_);
  ASSERT_TRUE(person && *person);
  EXPECT_EQ((*person)->account.name, "Ada Lovelace");
}

TEST_F(SessionTest, WhatIsWrongIsNotTold) {
  with_ada([&](Transaction& t) {
    EXPECT_TRUE(add_account("gone@example.org", "Gone", hasher_.hash(base::Secret(kGoodPassword)), t, now()));
    EXPECT_TRUE(set_account_disabled("gone@example.org", true, t, now()));
  });
  const std::pair<std::string, std::string> table[] = {
      {"ada@example.org", "wrong"},           {"ada@example.org", ""},
      {"nobody@example.org", kGoodPassword},  {"nopassword@example.org", ""},
      {"nopassword@example.org", "anything"}, {"gone@example.org", kGoodPassword},
      {"not an address", kGoodPassword},      {"", ""},
  };
  std::set<std::string> messages;
  for (const auto& [email, password] : table) {
    const auto refused = sign_in_as(email, password);
    ASSERT_FALSE(refused) << email;
    EXPECT_EQ(refused.error().code, ErrorCode::sign_in_failed) << email;
    messages.insert(refused.error().message);
  }
  EXPECT_EQ(messages.size(), 1u);
}

TEST_F(SessionTest, EachSignInIsANewSessionAndEndsTheBrowsersLast) {
  const std::string first = token();
  const auto second = sign_in_as("ada@example.org", kGoodPassword, first);
  ASSERT_TRUE(second);
  EXPECT_NE(second->token.reveal(), first);
  EXPECT_FALSE(is_signed_in(first));
  EXPECT_TRUE(is_signed_in(std::string(second->token.reveal())));
}

TEST_F(SessionTest, OnlyTheHashOfATokenIsStored) {
  const std::string secret = token();
  write([&](Transaction& t) -> Result<void> {
    EXPECT_FALSE(t.find_session(secret));
    return {};
  });
}

TEST_F(SessionTest, ATokenThatWeDidNotMakeIsNobody) {
  for (const std::string& planted : {std::string(), std::string("x"), std::string(43, 'A'), std::string(100'000, 'A')})
    EXPECT_FALSE(is_signed_in(planted));
}

TEST_F(SessionTest, ASessionEndsWithItsTime) {
  const std::string session = token();
  clock_.advance(policy_.session_lifetime - 1ms);
  EXPECT_TRUE(is_signed_in(session));
  clock_.advance(1ms);
  EXPECT_FALSE(is_signed_in(session));
}

TEST_F(SessionTest, ASessionEndsOnSigningOutAndThatMayBeSaidTwice) {
  const std::string session = token();
  EXPECT_TRUE(sign_out(session, *context_));
  EXPECT_FALSE(is_signed_in(session));
  EXPECT_TRUE(sign_out(session, *context_));
}

TEST_F(SessionTest, ASessionEndsWhenTheOperatorSetsAPasswordOrDisablesTheAccount) {
  const std::string before = token();
  with_ada([&](Transaction& t) { EXPECT_TRUE(set_account_password("ada@example.org", "other hash", t, now())); });
  EXPECT_FALSE(is_signed_in(before));
  with_ada([&](Transaction& t) {
    EXPECT_TRUE(set_account_password("ada@example.org", hasher_.hash(base::Secret(kGoodPassword)), t, now()));
  });
  const std::string after = token();
  with_ada([&](Transaction& t) { EXPECT_TRUE(set_account_disabled("ada@example.org", true, t, now())); });
  EXPECT_FALSE(is_signed_in(after));
}

TEST_F(SessionTest, GuessingAnAccountsPasswordIsSlowedWhetherThereIsSuchAnAccountOrNot) {
  for (const char* email : {"ada@example.org", "nobody@example.org"}) {
    for (int i = 0; i < 5; ++i) EXPECT_EQ(sign_in_as(email, "wrong").error().code, ErrorCode::sign_in_failed);
    const auto refused = sign_in_as(email, kGoodPassword);
    ASSERT_FALSE(refused) << email;
    EXPECT_EQ(refused.error().code, ErrorCode::rate_limited) << email;
    EXPECT_TRUE(refused.error().retry_after);
  }
  clock_.advance(1h);
  EXPECT_TRUE(sign_in_as("ada@example.org", kGoodPassword));
}

TEST_F(SessionTest, AStrangerWhoGuessesLocksNobodyOut) {
  for (int i = 0; i < 50; ++i) {
    clock_.advance(1min);
    static_cast<void>(sign_in({"ada@example.org", base::Secret("wrong"), "198.51.100.1", {}}, *context_));
  }
  EXPECT_EQ(sign_in({"ada@example.org", base::Secret("wrong"), "198.51.100.1", {}}, *context_).error().code,
            ErrorCode::rate_limited);
  EXPECT_TRUE(sign_in_as("ada@example.org", kGoodPassword));
}

/// Lets something happen between what a use case has read and what it writes.
class InterruptedStore final : public Store {
 public:
  InterruptedStore(Store& store, std::function<void()> before_write)
      : store_(store), before_write_(std::move(before_write)) {}
  Result<void> write(Work work, Urgency urgency, const Foresight& foresight) override {
    if (const auto once = std::exchange(before_write_, {})) once();
    return store_.write(std::move(work), urgency, foresight);
  }
  Result<void> read(Work work) override { return store_.read(std::move(work)); }
  bool is_ready() const override { return store_.is_ready(); }
  void drain() override { store_.drain(); }

 private:
  Store& store_;
  std::function<void()> before_write_;
};

TEST_F(SessionTest, TwoSignInsAtOnceBothSucceedThoughOneStoresABetterHashOfThePassword) {
  // "lighthouse piano cargo" with less memory, as an older release might have made it.
  constexpr const char* kOldHash =
      "$argon2id$v=19$m=8192,t=2,p=1$YHzswTPWl73KrcgigS8dTg$ycCOHKvMzLLzg8zZumTNwfhRzLYuk/VOnwXMCFqTtZo";
  with_ada([&](Transaction& t) { EXPECT_TRUE(set_account_password("ada@example.org", kOldHash, t, now())); });
  InterruptedStore store(*store_, [this] { EXPECT_TRUE(sign_in_as("ada@example.org", kGoodPassword)); });
  Context interrupted{store, clock_, policy_, keys_, *authenticator_, hasher_, wrong_links_, sign_ups_, sign_ins_};
  const auto session = sign_in({"ada@example.org", base::Secret(kGoodPassword), kClient, {}}, interrupted);
  ASSERT_TRUE(session) << session.error().message;
  EXPECT_NE(account("ada@example.org")->password_hash, kOldHash);
}

TEST_F(SessionTest, APasswordThatIsChangedMeanwhileSignsNobodyIn) {
  InterruptedStore store(*store_, [this] {
    with_ada([&](Transaction& t) { EXPECT_TRUE(set_account_password("ada@example.org", "new hash", t, now())); });
  });
  Context interrupted{store, clock_, policy_, keys_, *authenticator_, hasher_, wrong_links_, sign_ups_, sign_ins_};
  const auto session = sign_in({"ada@example.org", base::Secret(kGoodPassword), kClient, {}}, interrupted);
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, ErrorCode::sign_in_failed);
}

// --- profile ---------------------------------------------------------------------------------------------------------

TEST_F(SessionTest, APersonChangesWhatIsTheirsAndNothingElse) {
  const std::string session = token();
  with_ada([&](Transaction& t) {
    EXPECT_TRUE(set_account("ada@example.org", {std::nullopt, {{ProfileField::company_id, "C-1"}}}, t, now()));
  });
  Profile wanted;
  wanted.set(ProfileField::job_title, " Analyst ");
  wanted.set(ProfileField::company_id, "C-2");
  const auto edited = edit_profile({session, " Ada King ", wanted}, *context_);
  ASSERT_TRUE(edited) << edited.error().message;
  const auto person = *find_signed_in(session, *context_);
  EXPECT_EQ(person->account.name, "Ada King");
  EXPECT_EQ(person->profile.get(ProfileField::job_title), "Analyst");
  EXPECT_EQ(person->profile.get(ProfileField::company_id), "C-1");
  EXPECT_EQ(edited->profile, person->profile);

  ASSERT_TRUE(edit_profile({session, "Ada King", {}}, *context_));
  EXPECT_EQ((*find_signed_in(session, *context_))->profile.get(ProfileField::job_title), "") << "taken away again";
}

TEST_F(SessionTest, AWrongFieldChangesNothing) {
  const std::string session = token();
  Profile wrong;
  wrong.set(ProfileField::website, "javascript:alert(1)");
  EXPECT_EQ(edit_profile({session, "Ada King", wrong}, *context_).error().parameter, "website");
  EXPECT_EQ(edit_profile({session, "visit www.example.org", {}}, *context_).error().parameter, "Name");
  EXPECT_EQ(account("ada@example.org")->name, "Ada Lovelace");
}

TEST_F(SessionTest, WhoIsNotSignedInChangesNothing) {
  const std::string session = token();
  ASSERT_TRUE(sign_out(session, *context_));
  EXPECT_EQ(edit_profile({session, "Mallory", {}}, *context_).error().code, ErrorCode::sign_in_failed);
  EXPECT_EQ(account("ada@example.org")->name, "Ada Lovelace");
}

// --- forgotten password ----------------------------------------------------------------------------------------------

class ResetPasswordTest : public SessionTest {
 protected:
  Result<void> ask(const std::string& email) {
    clock_.advance(1min);
    return request_password_reset(email, base::Language::nl, kClient, *context_);
  }
  std::string link() {
    EXPECT_TRUE(ask("ada@example.org"));
    const OutboxMessage mail = messages()[0];
    return make_reset_token(keys_, {mail.account_id, mail.generation, mail.expires_at});
  }
  Result<void> reset(const std::string& token, const std::string& password = kOtherPassword,
                     const std::string& again = kOtherPassword) {
    return reset_password({token, base::Secret(password), base::Secret(again), kClient}, *context_);
  }
  bool is_open(const std::string& token) { return view_password_reset(token, kClient, *context_)->has_value(); }
};

TEST_F(ResetPasswordTest, AMailGoesToAnAccountAndItsLinkSetsANewPasswordOnce) {
  const std::string session = token();
  const std::string reset_link = link();
  const OutboxMessage mail = messages()[0];
  EXPECT_EQ(mail.kind, MessageKind::password_reset);
  EXPECT_EQ(mail.recipient.text(), "ada@example.org");
  EXPECT_EQ(mail.language, base::Language::nl);
  EXPECT_TRUE(mail.environment_id.is_nil());
  EXPECT_EQ(mail_queued_, 1);

  EXPECT_EQ(**view_password_reset(reset_link, kClient, *context_), "ada@example.org");
  ASSERT_TRUE(reset(reset_link));
  EXPECT_FALSE(is_open(reset_link));
  EXPECT_EQ(reset(reset_link, kGoodPassword, kGoodPassword).error().code, ErrorCode::link_not_valid);
  EXPECT_FALSE(is_signed_in(session)) << "all sessions have ended";
  EXPECT_FALSE(sign_in_as("ada@example.org", kGoodPassword));
  EXPECT_TRUE(sign_in_as("ada@example.org", kOtherPassword));
}

TEST_F(ResetPasswordTest, AUsedLinkIsNoPlaceToGuessAt) {
  const std::string reset_link = link();
  ASSERT_TRUE(reset(reset_link));
  const auto was_reset = [&](const char* password) {
    return was_reset_to({reset_link, base::Secret(password), base::Secret(password), kClient}, *context_);
  };
  EXPECT_TRUE(was_reset(kOtherPassword));
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(was_reset("wrong"));
  clock_.advance(1min);  // the limit on posts is not what is meant
  EXPECT_FALSE(was_reset(kOtherPassword));
  EXPECT_EQ(sign_in_as("ada@example.org", kOtherPassword).error().code, ErrorCode::rate_limited);
}

TEST_F(ResetPasswordTest, AMailIsNotLateBehindInvitationsThatWaitForTheRelay) {
  ASSERT_TRUE(send("guest1@example.org"));
  ASSERT_TRUE(send("guest2@example.org"));
  clock_.advance(72h);
  ASSERT_TRUE(ask("ada@example.org"));
  std::vector<MessageKind> order;
  write([&](Transaction& transaction) -> Result<void> {
    order.clear();
    while (true) {
      const auto leases = transaction.claim_due_messages(1, clock_.now(), clock_.now() + 1min);
      if (leases.empty()) return {};
      order.push_back(leases.front().message.kind);
    }
  });
  ASSERT_EQ(order.size(), 3U);
  EXPECT_EQ(order.front(), MessageKind::password_reset);
}

TEST_F(ResetPasswordTest, ALinkIsGoodForAnHour) {
  const std::string reset_link = link();
  clock_.set(messages()[0].expires_at - 1ms);
  EXPECT_TRUE(is_open(reset_link));
  clock_.advance(1ms);
  EXPECT_FALSE(is_open(reset_link));
  EXPECT_EQ(reset(reset_link).error().code, ErrorCode::link_not_valid);
  EXPECT_EQ(messages()[0].expires_at - std::chrono::floor<std::chrono::seconds>(messages()[0].queued_at), 1h);
}

TEST_F(ResetPasswordTest, EveryChangeOfThePasswordKillsTheLinksThatAreOut) {
  const std::string first = link();
  clock_.advance(2min);
  const std::string second = link();
  ASSERT_NE(first, second);
  EXPECT_TRUE(is_open(first)) << "both work until one is used";
  ASSERT_TRUE(reset(second));
  EXPECT_FALSE(is_open(first));

  clock_.advance(30min);
  const std::string third = link();
  with_ada([&](Transaction& t) { EXPECT_TRUE(set_account_password("ada@example.org", "hash", t, now())); });
  EXPECT_FALSE(is_open(third));
}

TEST_F(ResetPasswordTest, TheAnswerIsTheSameForAddressesThatNobodyHas) {
  EXPECT_TRUE(ask("nobody@example.org"));
  EXPECT_TRUE(messages().empty());
  with_ada([&](Transaction& t) { EXPECT_TRUE(set_account_disabled("ada@example.org", true, t, now())); });
  EXPECT_TRUE(ask("ada@example.org"));
  EXPECT_TRUE(messages().empty());
  EXPECT_EQ(ask("not an address").error().code, ErrorCode::invalid_email_address);
}

TEST_F(ResetPasswordTest, WhoNeverHadAPasswordChoosesOneSo) {
  ASSERT_TRUE(ask("nopassword@example.org"));
  const OutboxMessage mail = messages()[0];
  ASSERT_TRUE(reset(make_reset_token(keys_, {mail.account_id, mail.generation, mail.expires_at})));
  EXPECT_TRUE(sign_in_as("nopassword@example.org", kOtherPassword));
}

TEST_F(ResetPasswordTest, AnAddressGetsOneMailAMinuteAndThreeAnHour) {
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(request_password_reset("ada@example.org", base::Language::en, kClient, *context_));
  EXPECT_EQ(messages().size(), 1u) << "at the same moment";
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(ask("ADA@example.org"));
  EXPECT_EQ(messages().size(), 3u);
  clock_.advance(1h);
  EXPECT_TRUE(ask("ada@example.org"));
  EXPECT_EQ(messages().size(), 4u);
}

TEST_F(ResetPasswordTest, NobodyIsSentMailsAllDayLong) {
  for (int i = 0; i < 48; ++i) {
    clock_.advance(30min);
    EXPECT_TRUE(request_password_reset("ada@example.org", base::Language::en, kClient, *context_));
  }
  EXPECT_LE(messages().size(), 20u) << "ten at once, and ten a day";
  const auto first_day = messages().size();
  for (int i = 0; i < 48; ++i) {
    clock_.advance(30min);
    EXPECT_TRUE(request_password_reset("ada@example.org", base::Language::en, kClient, *context_));
  }
  EXPECT_LE(messages().size() - first_day, 10u);
}

TEST_F(ResetPasswordTest, ABadNewPasswordLeavesTheLinkGood) {
  const std::string reset_link = link();
  EXPECT_EQ(reset(reset_link, "short", "short").error().parameter, "Password");
  EXPECT_EQ(reset(reset_link, kOtherPassword, "different words here").error().parameter, "PasswordAgain");
  EXPECT_EQ(reset(reset_link, "ada@example.orgada", "ada@example.orgada").error().parameter, "Password");
  EXPECT_TRUE(is_open(reset_link));
}

TEST_F(ResetPasswordTest, ATokenForSomethingElseIsNone) {
  ASSERT_TRUE(send("new@example.org"));
  const std::string invitation = token_of(invitations()[0]);
  EXPECT_FALSE(is_open(invitation));
  EXPECT_EQ(reset(invitation).error().code, ErrorCode::link_not_valid);
  const std::string reset_link = link();
  EXPECT_EQ(view_invitation(reset_link, kClient, *context_)->link, LinkState::wrong);
}

TEST_F(ResetPasswordTest, ForgedLinksAreCounted) {
  for (int i = 0; i < 30; ++i) EXPECT_FALSE(is_open(std::string(78, 'A')));
  EXPECT_EQ(view_password_reset(std::string(78, 'A'), kClient, *context_).error().code, ErrorCode::rate_limited);
}

}  // namespace
}  // namespace invited::domain
