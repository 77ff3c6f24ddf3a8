#include "storage/mail_turns.h"

#include <gtest/gtest.h>

#include <vector>

namespace invited::storage {
namespace {

using base::Uuid;

Uuid id(int number) { return *Uuid::parse("00000000-0000-4000-8000-" + std::to_string(100'000'000'000 + number)); }

TEST(MailTurns, EnvironmentsComeOneAfterTheOtherWithTheirOldestFirst) {
  MailTurns turns;
  for (int mail = 10; mail < 13; ++mail) turns.note(id(1), id(mail));
  turns.note(id(2), id(20));
  turns.note(Uuid{}, id(30));
  turns.served(id(1));
  EXPECT_EQ(turns.take(), id(20));
  EXPECT_EQ(turns.take(), id(30));
  EXPECT_EQ(turns.take(), id(10));
  EXPECT_EQ(turns.take(), std::nullopt) << "nothing more is known of the second";
  EXPECT_EQ(turns.take(), std::nullopt) << "nor of the third";
  EXPECT_EQ(turns.take(), id(11));
}

TEST(MailTurns, ThereAreNoneWhereOnlyOneWaits) {
  MailTurns turns;
  EXPECT_EQ(turns.take(), std::nullopt);
  turns.note(id(1), id(10));
  turns.note(id(1), id(11));
  EXPECT_EQ(turns.take(), std::nullopt);
}

TEST(MailTurns, AWalkReplacesWhatTheOneBeforeHasMet) {
  MailTurns turns;
  turns.note(id(1), id(10));
  turns.note(id(2), id(20));
  turns.note(id(3), id(30));
  turns.end_walk();
  turns.note(id(1), id(11));
  turns.note(id(2), id(21));
  turns.end_walk();
  EXPECT_EQ(turns.take(), id(11));
  EXPECT_EQ(turns.take(), id(21));
  EXPECT_EQ(turns.take(), std::nullopt) << "the third has nothing due any more";
}

TEST(MailTurns, AreBounded) {
  MailTurns turns;
  turns.note(id(1), id(10));
  for (int mail = 0; mail < 1'000; ++mail) turns.note(id(2), id(1'000 + mail));
  std::vector<Uuid> taken;
  for (int i = 0; i < 2'000; ++i)
    if (const auto mail = turns.take()) taken.push_back(*mail);
  EXPECT_EQ(taken.size(), 1 + MailTurns::kMailsOfEach);
}

}  // namespace
}  // namespace invited::storage
