#include "domain/rate_limit.h"

#include <gtest/gtest.h>

#include <string>

#include "domain/policy.h"

namespace invited::domain {
namespace {

using namespace std::chrono_literals;
using base::Timestamp;

const Timestamp kNow{std::chrono::milliseconds(1'800'000'000'000)};

int admitted(const Rate& rate, Timestamp& arrival, Timestamp now, int tries) {
  int count = 0;
  for (int i = 0; i < tries; ++i) {
    const Admission admission = admit(rate, arrival, now);
    if (!admission.admitted) continue;
    arrival = admission.theoretical_arrival;
    ++count;
  }
  return count;
}

TEST(Rate, TheDefaultsAreThoseThatWePromise) {
  const Policy policy;
  const struct {
    const char* rate;
    std::uint32_t is;
    std::uint32_t promised;
  } rates[]{
      {"SendInvite for each environment, a second", policy.environment_per_second, 50},
      {"burst", policy.environment_burst, 200},
      {"a day", policy.environment_per_day, 10'000},
      {"for each inviter, an hour", policy.inviter_per_hour, 100},
      {"a day", policy.inviter_per_day, 500},
      {"mail to one address, a minute", policy.mailbox.per_minute, 1},
      {"an hour", policy.mailbox.per_hour, 3},
      {"a day", policy.mailbox.per_day, 10},
      {"forged links of one client address, in 5 minutes", policy.wrong_links_per_5_minutes, 30},
      {"posts of passwords of one client address, a minute", policy.sign_ups_per_minute, 10},
      {"failed environment passwords, a minute", policy.wrong_passwords_per_minute, 10},
      {"then one in so many seconds", static_cast<std::uint32_t>(policy.wrong_password_interval.count()), 10},
  };
  for (const auto& rate : rates) EXPECT_EQ(rate.is, rate.promised) << rate.rate;
}

TEST(Rate, AdmitsTheBurstThenTheRate) {
  const Rate rate{50, 1000ms, 200};
  Timestamp arrival{};
  EXPECT_EQ(admitted(rate, arrival, kNow, 300), 200);
  EXPECT_EQ(admitted(rate, arrival, kNow + 1s, 300), 50);
  EXPECT_EQ(admitted(rate, arrival, kNow + 60s, 300), 200);
}

TEST(Rate, SaysHowLongToWaitAndThenAdmits) {
  const Rate rate{100, 1h, 100};
  Timestamp arrival{};
  EXPECT_EQ(admitted(rate, arrival, kNow, 101), 100);
  const Admission refused = admit(rate, arrival, kNow);
  EXPECT_FALSE(refused.admitted);
  EXPECT_EQ(refused.wait, 36s);
  EXPECT_TRUE(admit(rate, arrival, kNow + refused.wait).admitted);
}

TEST(Rate, ZeroMeansNoLimit) {
  Timestamp arrival{};
  EXPECT_EQ(admitted(Rate{0, 1s, 1}, arrival, kNow, 1000), 1000);
}

TEST(Rate, AClockThatIsSetBackMakesNobodyWait) {
  const Rate rate{50, 1000ms, 200};
  Timestamp arrival{};
  EXPECT_EQ(admitted(rate, arrival, kNow + 24h, 300), 200);
  EXPECT_EQ(admitted(rate, arrival, kNow, 300), 200) << "anew, but no more than always";
  EXPECT_EQ(admitted(rate, arrival, kNow + 1s, 300), 50);

  AttemptLimiter limiter(Rate{10, 60s, 10});
  for (int i = 0; i < 20; ++i) limiter.attempt("192.0.2.1", kNow + 1h);
  EXPECT_TRUE(limiter.blocked("192.0.2.1", kNow + 1h));
  EXPECT_FALSE(limiter.blocked("192.0.2.1", kNow));
}

TEST(AttemptLimiter, AnIpv6ClientIsItsNetwork) {
  EXPECT_EQ(limited_as("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(limited_as("2001:db8:1:2::9"), limited_as("2001:db8:1:2:ffff::"));
  EXPECT_NE(limited_as("2001:db8:1:2::9"), limited_as("2001:db8:1:3::9"));
  EXPECT_EQ(limited_as("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(limited_as("-"), "-");
}

TEST(AttemptLimiter, LimitsEachSubjectByItselfAndForgetsOnSuccess) {
  AttemptLimiter limiter(Rate{10, 60s, 10});
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(limiter.attempt("192.0.2.1", kNow));
  EXPECT_TRUE(limiter.attempt("192.0.2.1", kNow));
  EXPECT_TRUE(limiter.blocked("192.0.2.1", kNow));
  EXPECT_FALSE(limiter.blocked("192.0.2.2", kNow));
  EXPECT_FALSE(limiter.attempt("192.0.2.2", kNow));
  limiter.clear("192.0.2.1");
  EXPECT_FALSE(limiter.attempt("192.0.2.1", kNow));
}

TEST(AttemptLimiter, AFloodOfSubjectsDoesNotFreeTheOneThatIsBlocked) {
  AttemptLimiter limiter(Rate{1, 10s, 10}, /*capacity=*/100);
  for (int i = 0; i < 11; ++i) limiter.attempt("loud", kNow);
  for (int i = 0; i < 10'000; ++i) limiter.attempt(std::to_string(i), kNow);
  EXPECT_TRUE(limiter.blocked("loud", kNow));
}

}  // namespace
}  // namespace invited::domain
