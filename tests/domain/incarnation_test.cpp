// What shows that a database came back from a backup, as a table: each line is what an operator, or a kill, may have
// done.
#include "domain/incarnation.h"

#include <gtest/gtest.h>

#include "support/sample_data.h"

namespace invited::domain {
namespace {

const base::Uuid kFolder = base::Uuid::random();
const base::Uuid kElsewhere = base::Uuid::random();
const base::Uuid kOld = base::Uuid::random();
const base::Uuid kNow = base::Uuid::random();
const base::Uuid kNext = base::Uuid::random();

constexpr auto kNone = RestoreProgress::none;

KeyBinding binding(std::uint32_t epoch, std::string digest = "digest") {
  return {std::move(digest), epoch, std::nullopt};
}
Incarnation row(const base::Uuid& instance, const base::Uuid& id) { return {instance.to_string(), id, test::at(0)}; }
IncarnationNote note(const base::Uuid& current, const base::Uuid& next = {}, std::uint32_t epoch = 3,
                     RestoreProgress restore = kNone) {
  return {kFolder, epoch, current, next, restore};
}

struct Case {
  const char* what;
  RestoreSign expected;
  std::optional<KeyBinding> binding;
  std::vector<Incarnation> rows;
  std::optional<IncarnationNote> note;
  KeyMarks keys{"digest", 3};
  bool exclusive = true;
};

class JudgeTest : public testing::TestWithParam<Case> {};

TEST_P(JudgeTest, TellsIt) {
  const Case& c = GetParam();
  EXPECT_EQ(judge(c.binding, c.rows, c.keys, c.note, c.exclusive), c.expected) << c.what;
}

using enum RestoreSign;

INSTANTIATE_TEST_SUITE_P(
    MayServe, JudgeTest,
    testing::Values(Case{"the very first start", none, {}, {}, {}},
                    Case{"killed in the first start, the note written", none, {}, {}, note({}, kNext)},
                    Case{"killed in the first start, the database written",
                         none,
                         binding(3),
                         {row(kFolder, kNext)},
                         note({}, kNext)},
                    Case{"an ordinary start", none, binding(3), {row(kFolder, kNow)}, note(kNow)},
                    Case{"killed between note and database", none, binding(3), {row(kFolder, kNow)}, note(kNow, kNext)},
                    Case{"killed after the database", none, binding(3), {row(kFolder, kNext)}, note(kNow, kNext)},
                    Case{"killed after a restore was accepted, before the note was made anew",
                         none,
                         binding(3),
                         {},
                         note(kOld, {}, 2, RestoreProgress::waits)},
                    Case{"another instance beside us",
                         none,
                         binding(3),
                         {row(kElsewhere, kOld), row(kFolder, kNow)},
                         note(kNow),
                         {"digest", 3},
                         false},
                    Case{"a new instance joins", none, binding(3), {row(kElsewhere, kOld)}, {}, {"digest", 3}, false},
                    Case{"another instance accepted a restore, and its keys were copied here",
                         none,
                         binding(3),
                         {row(kElsewhere, kOld)},
                         note(kNow, {}, 2),
                         {"digest", 3},
                         false}));

INSTANTIATE_TEST_SUITE_P(
    MustNotServe, JudgeTest,
    testing::Values(
        Case{"an older database", other_incarnation, binding(3), {row(kFolder, kOld)}, note(kNow)},
        Case{"an older database, found by a start after a kill",
             other_incarnation,
             binding(3),
             {row(kFolder, kOld)},
             note(kNow, kNext)},
        Case{"a database from before it had incarnations", older_database, {}, {}, note(kNow)},
        Case{"a database that was bound, and never served", other_incarnation, binding(3), {}, note(kNow)},
        Case{"an older database of an earlier epoch", older_database, binding(2), {row(kFolder, kNow)}, note(kNow)},
        Case{"killed after --after-restore had raised the epoch of the keys",
             older_database,
             binding(3),
             {row(kFolder, kOld)},
             note(kNow),
             {"digest", 4}},
        Case{"older keys", older_keys, binding(4), {row(kFolder, kNow)}, note(kNow)},
        Case{"another instance accepted a restore, and its keys were not copied here",
             older_keys,
             binding(4),
             {row(kElsewhere, kOld)},
             note(kNow),
             {"digest", 3},
             false},
        Case{"keys of another folder", foreign_keys, binding(3, "other"), {row(kFolder, kNow)}, note(kNow)},
        Case{"a copy by invited backup", backup, binding(3), {{std::string(kBackupInstance), kOld, {}}}, note(kNow)},
        Case{"a copy by invited backup, in a new folder",
             backup,
             binding(3),
             {{std::string(kBackupInstance), kOld, {}}},
             {}},
        Case{"a database in a new folder", other_folder, binding(3), {row(kElsewhere, kOld)}, {}},
        Case{"another folder's database here", other_folder, binding(3), {row(kElsewhere, kOld)}, note(kNow)},
        Case{"invited restore was killed",
             restore_broken_off,
             binding(3),
             {row(kFolder, kNow)},
             note(kNow, {}, 3, RestoreProgress::under_way)},
        Case{"invited restore came to its end",
             restored,
             binding(3),
             {row(kFolder, kNow)},
             note(kNow, {}, 3, RestoreProgress::waits)}));

}  // namespace
}  // namespace invited::domain
