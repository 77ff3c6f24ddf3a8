// Who calls: the passwords of environments, issued and brought, right and wrong.
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <ctime>
#include <thread>
#include <vector>

#include "domain/send_invitation.h"
#include "domain/use_case_fixture.h"

namespace invited::domain {
namespace {

using namespace std::chrono_literals;

class EnvironmentCredentialsTest : public UseCaseTest {};

TEST_F(EnvironmentCredentialsTest, A01UnknownWrongAndDisabledGiveOneAndTheSameError) {
  std::vector<std::string> answers;
  auto unknown = request();
  unknown.environment_uuid = base::Uuid::random().to_string();
  answers.push_back(send_invitation(unknown, *context_).error().message);
  auto wrong = request();
  wrong.environment_password = make_environment_password();
  answers.push_back(send_invitation(wrong, *context_).error().message);
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(set_environment_disabled(environment_.id, true, t, now()));
    return {};
  });
  authenticator_->forget_snapshot();
  const auto disabled = send();
  answers.push_back(disabled.error().message);
  EXPECT_EQ(disabled.error().code, ErrorCode::authentication_failed);
  EXPECT_EQ(answers[0], answers[1]);
  EXPECT_EQ(answers[0], answers[2]);
}

TEST_F(EnvironmentCredentialsTest, A04BothRotationSlotsWorkUntilTheOldOneEnds) {
  base::Secret next;
  write([&](Transaction& t) -> Result<void> {
    next = rotate_password(environment_.id, {1h}, authenticator_->pepper(), t, now())->password;
    return {};
  });
  write([&](Transaction& t) -> Result<void> {
    const auto again = rotate_password(environment_.id, {1h}, authenticator_->pepper(), t, now());
    EXPECT_FALSE(again) << "the app that has the first one would be cut off";
    return {};
  });
  authenticator_->forget_snapshot();
  auto with_next = request("b@example.org");
  with_next.environment_password = next;
  EXPECT_TRUE(send("a@example.org"));
  EXPECT_TRUE(send_invitation(with_next, *context_));
  clock_.advance(1h);
  EXPECT_EQ(send("c@example.org").error().code, ErrorCode::authentication_failed);
  EXPECT_TRUE(send_invitation(with_next, *context_));
  clock_.advance(-2h);  // the clock was set back: to before the new one was made
  EXPECT_TRUE(send_invitation(with_next, *context_));
}

TEST_F(EnvironmentCredentialsTest, ABroughtPasswordWorksToo) {
  auto brought = request();
  write([&](Transaction& t) -> Result<void> {
    const auto added = add_environment({app_.id, "Legacy", std::nullopt, hasher_.hash(base::Secret("legacy-password"))},
                                       authenticator_->pepper(), t, now());
    EXPECT_TRUE(added->password.empty());
    brought.environment_uuid = added->environment.id.to_string();
    EXPECT_TRUE(grant_access(added->environment.id, "grace@example.org", user_.id, t, now()));
    return {};
  });
  authenticator_->forget_snapshot();
  brought.environment_password = base::Secret("legacy-password");
  EXPECT_TRUE(send_invitation(brought, *context_));
  brought.environment_password = base::Secret("legacy-passwort");
  EXPECT_EQ(send_invitation(brought, *context_).error().code, ErrorCode::authentication_failed);
}

TEST_F(EnvironmentCredentialsTest, A03WhatCanBeNobodysPasswordIsRefusedAsAWrongOneAndWithoutArgon2) {
  const std::string right = "cl\u00e9-de-1998";
  std::string environment;
  write([&](Transaction& t) -> Result<void> {
    environment = add_environment({app_.id, "Legacy", std::nullopt, hasher_.hash(base::Secret(right))},
                                  authenticator_->pepper(), t, now())
                      ->environment.id.to_string();
    return {};
  });
  authenticator_->forget_snapshot();
  int address = 0;
  struct Answer {
    std::optional<Error> refused;
    std::clock_t cpu;
  };
  // Each from an address of its own: nobody is slowed down, and spared Argon2 for that.
  const auto call = [&](std::string_view password) {
    const std::string client = "192.0.2." + std::to_string(++address);
    const std::clock_t began = std::clock();
    const auto answer = authenticator_->authenticate(environment, password, client);
    const std::clock_t cpu = std::clock() - began;
    return Answer{answer ? std::nullopt : std::optional(answer.error()), cpu};
  };
  call("the first reads the snapshot");
  const Answer wrong = call("cle-de-1998");
  ASSERT_TRUE(wrong.refused);
  EXPECT_EQ(wrong.refused->code, ErrorCode::authentication_failed);
  constexpr std::size_t kMaxBody = 64 * 1024;  // more does not get in; 1 MiB costs its HMAC, as for any environment
  const std::string odd[]{"",
                          std::string(129, 'x'),
                          std::string(kMaxBody, 'x'),
                          std::string(1 << 20, 'x'),
                          right + '\0',
                          std::string("\0", 1),
                          "cl\xe9-de-1998"};
  for (const std::string& password : odd) {
    const Answer answer = call(password);
    SCOPED_TRACE(password.substr(0, 20));
    ASSERT_TRUE(answer.refused);
    EXPECT_EQ(answer.refused->code, wrong.refused->code);
    EXPECT_EQ(answer.refused->message, wrong.refused->message);
    if (password.size() <= kMaxBody) {
      EXPECT_LT(answer.cpu, wrong.cpu / 4) << "that was Argon2";
    }
  }
  EXPECT_FALSE(call("cle\u0301-de-1998").refused) << "the right one, spelled in NFD";
  EXPECT_FALSE(call(right).refused);
}

// Argon2 runs for one such password at a time. Wrong ones from many addresses, each within its limit, waited for it in
// all workers of the listener.
TEST_F(EnvironmentCredentialsTest, NotEveryWorkerWaitsForABroughtPassword) {
  auto brought = request();
  write([&](Transaction& t) -> Result<void> {
    const auto added = add_environment({app_.id, "Old", std::nullopt, hasher_.hash(base::Secret("legacy-password"))},
                                       authenticator_->pepper(), t, now());
    brought.environment_uuid = added->environment.id.to_string();
    EXPECT_TRUE(grant_access(added->environment.id, "grace@example.org", user_.id, t, now()));
    return {};
  });
  authenticator_->forget_snapshot();
  constexpr int kCallers = 40;
  std::barrier start(kCallers);
  std::atomic<int> wrong = 0;
  std::atomic<int> busy = 0;
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < kCallers; ++i)
      callers.emplace_back([&, i] {
        start.arrive_and_wait();
        const auto refused =
            authenticator_->authenticate(brought.environment_uuid, "wrong", "192.0.2." + std::to_string(i));
        const ErrorCode code = refused ? ErrorCode::not_found : refused.error().code;
        wrong += code == ErrorCode::authentication_failed ? 1 : 0;
        busy += code == ErrorCode::unavailable ? 1 : 0;
      });
  }
  EXPECT_EQ(wrong + busy, kCallers);
  EXPECT_GE(wrong, 8);
  EXPECT_GT(busy, 0);
  brought.environment_password = base::Secret("legacy-password");
  EXPECT_TRUE(send_invitation(brought, *context_));
}

TEST_F(EnvironmentCredentialsTest, A06WrongPasswordsAreSlowedButTheRightOneAlwaysPasses) {
  auto wrong = request();
  wrong.environment_password = base::Secret("wrong");
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(send_invitation(wrong, *context_).error().code, ErrorCode::authentication_failed) << i;
  const auto slowed = send_invitation(wrong, *context_);
  EXPECT_EQ(slowed.error().code, ErrorCode::rate_limited);
  EXPECT_GT(slowed.error().retry_after.value_or(0s), 0s);
  auto elsewhere = wrong;
  elsewhere.client_address = "192.0.2.99";
  EXPECT_EQ(send_invitation(elsewhere, *context_).error().code, ErrorCode::authentication_failed);
  EXPECT_TRUE(send());
  EXPECT_EQ(send_invitation(wrong, *context_).error().code, ErrorCode::authentication_failed) << "a success clears";
}

TEST_F(EnvironmentCredentialsTest, A06AfterTenWrongPasswordsOneInTenSecondsIsLookedAt) {
  auto wrong = request();
  wrong.environment_password = base::Secret("wrong");
  const auto codes = [&](int calls) {
    std::vector<ErrorCode> answered;
    for (int i = 0; i < calls; ++i) answered.push_back(send_invitation(wrong, *context_).error().code);
    return answered;
  };
  using enum ErrorCode;
  EXPECT_EQ(codes(10), std::vector(10, authentication_failed));
  for (int i = 0; i < 3; ++i) {
    const auto slowed = send_invitation(wrong, *context_);
    EXPECT_EQ(slowed.error().code, rate_limited);
    EXPECT_EQ(slowed.error().retry_after, 10s);
    clock_.advance(9'999ms);
    EXPECT_EQ(codes(2), (std::vector{rate_limited, rate_limited})) << "and what is slowed down makes it no longer";
    clock_.advance(1ms);
    EXPECT_EQ(codes(2), (std::vector{authentication_failed, rate_limited}));
  }
  clock_.advance(100s);
  EXPECT_EQ(codes(10), std::vector(10, authentication_failed)) << "ten at once again, after a pause";
  EXPECT_EQ(codes(1), std::vector{rate_limited});
}

}  // namespace
}  // namespace invited::domain
