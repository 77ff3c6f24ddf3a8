// A folder with its keys, its note and a real database, and what operators and kills do to them.
#include "restore_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "incarnation_file.h"
#include "storage/sqlite_store.h"
#include "support/manual_clock.h"
#include "support/sample_data.h"
#include "support/temporary_directory.h"

namespace invited {
namespace {

using domain::Result;
using domain::Transaction;
using test::at;
using testing::HasSubstr;

/// A database whose commits hang: what they wrote is to be seen later, or never.
class DoubtfulStore final : public domain::Store {
 public:
  explicit DoubtfulStore(domain::Store& store) : store_(store) {}
  Result<void> write(Work work, domain::Urgency, const domain::Foresight&) override {
    // What it writes is said now, whenever it may be seen.
    domain::Incarnation last;
    EXPECT_FALSE(store_.write([&](Transaction& transaction) -> Result<void> {
      EXPECT_TRUE(work(transaction));
      last = transaction.list_incarnations().front();
      return domain::refuse(domain::ErrorCode::unavailable, "not yet");
    }));
    written.push_back(last);
    return domain::refuse(domain::ErrorCode::outcome_unknown, "It is not known.");
  }
  Result<void> read(Work work) override { return store_.read(std::move(work)); }
  bool is_ready() const override { return store_.is_ready(); }
  void drain() override { store_.drain(); }

  std::vector<domain::Incarnation> written;

 private:
  domain::Store& store_;
};

class RestoreGuardTest : public testing::Test {
 protected:
  RestoreGuardTest() { open(); }

  void open() {
    store_.reset();
    auto keys = load_or_create_keys(folder_.path(), false);
    ASSERT_TRUE(keys) << keys.error();
    keys_ = std::move(*keys);
    storage::SqliteOptions options;
    options.path = database();
    options.watermark_bytes = 0;
    auto opened = storage::open_sqlite_store(options, clock_);
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = std::move(*opened);
  }

  /// As a start of the service does it; the refusal's message, or nothing.
  std::string start(AfterRestore said = AfterRestore::not_said) {
    open();
    const auto answered = answer_restore(guarded_, said, *store_, *keys_, at(now_));
    if (!answered) return answered.error().message;
    accepted_ = *answered;
    const auto renewed = renew_incarnation(guarded_, *store_, *keys_, at(++now_));
    return renewed ? "" : renewed.error().message;
  }

  /// A copy of the database, as an operator makes one of a service that is stopped.
  std::string copy(std::string_view name) {
    store_.reset();
    const std::string target = elsewhere_ / name;
    std::filesystem::copy_file(database(), target);
    return target;
  }
  void copy_back(const std::string& copied) {
    store_.reset();
    for (const char* ending : {"", "-wal", "-shm"}) std::filesystem::remove(database() + ending);
    std::filesystem::copy_file(copied, database());
  }

  template <class Work>
  void write(Work work) {
    ASSERT_TRUE(store_->write([&](Transaction& t) -> Result<void> {
      work(t);
      return {};
    }));
  }
  template <class Query>
  auto read(Query query) {
    using Found = std::invoke_result_t<Query, Transaction&>;
    return *domain::read_returning(*store_, [&](Transaction& t) -> Result<Found> { return query(t); });
  }

  std::string database() const { return folder_ / "invited.db"; }

  test::TemporaryDirectory folder_{test::TemporaryDirectory::in_memory()};
  test::TemporaryDirectory elsewhere_{test::TemporaryDirectory::in_memory()};
  test::ManualClock clock_;
  const GuardedFolder guarded_{folder_.path(), true};
  std::optional<Keys> keys_;
  std::unique_ptr<domain::Store> store_;
  std::optional<domain::AcceptedRestore> accepted_;
  long long now_ = 0;
};

TEST_F(RestoreGuardTest, AnOrdinaryServiceStartsAgainAndAgain) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(start(), "");
  EXPECT_EQ(read([](Transaction& t) { return t.list_incarnations(); }).size(), 1U);
  EXPECT_EQ(keys_->token_keys.epoch, 1U);
}

TEST_F(RestoreGuardTest, AnOlderDatabaseThatIsCopiedBackIsRefusedAndTheRemedyIsNamed) {
  ASSERT_EQ(start(), "");
  const auto old = copy("old.db");
  ASSERT_EQ(start(), "");
  copy_back(old);
  EXPECT_THAT(start(), HasSubstr("--after-restore"));
  EXPECT_THAT(start(), HasSubstr("--after-restore")) << "a second try is no acceptance";
}

TEST_F(RestoreGuardTest, ACopyOfTheSameRunIsOldAfterARenewal) {
  ASSERT_EQ(start(), "");
  const auto old = copy("old.db");
  open();
  ASSERT_TRUE(renew_incarnation(guarded_, *store_, *keys_, at(100)));
  copy_back(old);
  EXPECT_THAT(start(), HasSubstr("not in the state in which it was served"));
}

TEST_F(RestoreGuardTest, ADatabaseOfBeforeItHadIncarnationsIsRefusedToo) {
  store_.reset();
  const auto old = copy("old.db");  // never served
  ASSERT_EQ(start(), "");
  copy_back(old);
  EXPECT_THAT(start(), HasSubstr("is older than what was served"));
}

TEST_F(RestoreGuardTest, AcceptingRaisesTheEpochHoldsMailsEndsSessionsAndIsForOneStart) {
  ASSERT_EQ(start(), "");
  test::SampleWorld world;
  const auto invitation = world.invitation("new@example.org", at(0));
  const auto message = world.message(invitation);
  write([&](Transaction& t) {
    world.insert_into(t);
    t.insert(invitation);
    t.insert(message);
    t.insert(domain::Session{"hash", world.inviter.id, 0, at(0), at(10'000)});
  });
  const auto token = domain::make_token(keys_->token_keys, {invitation.id, 1});
  const auto old = copy("old.db");
  ASSERT_EQ(start(), "");
  copy_back(old);
  ASSERT_NE(start(), "");
  ASSERT_EQ(start(AfterRestore::if_restored), "");
  ASSERT_TRUE(accepted_);
  EXPECT_EQ(accepted_->held_messages, 1U);
  EXPECT_GT(keys_->token_keys.epoch, 1U);
  EXPECT_EQ(load_keys(folder_.path())->token_keys.epoch, keys_->token_keys.epoch);
  EXPECT_FALSE(domain::check_token(keys_->token_keys, token)) << "the old link works";
  EXPECT_FALSE(read([](Transaction& t) { return t.find_session("hash"); }));
  const auto held = read([&](Transaction& t) { return t.find_message(message.id); });
  EXPECT_TRUE(domain::is_held(*held));
  EXPECT_THAT(held->last_error, HasSubstr("may have been sent"));
  write([&](Transaction& t) { EXPECT_TRUE(t.claim_due_messages(10, message.due_at, at(500)).empty()); });
  const auto epoch = keys_->token_keys.epoch;

  ASSERT_EQ(start(), "") << "accepted, yet refused";
  ASSERT_EQ(start(AfterRestore::if_restored), "");
  EXPECT_FALSE(accepted_) << "left in the start, it kills links again and again";
  EXPECT_EQ(keys_->token_keys.epoch, epoch);
  ASSERT_EQ(start(AfterRestore::certainly), "");
  EXPECT_TRUE(accepted_) << "a snapshot of the whole machine shows nothing";
  EXPECT_GT(keys_->token_keys.epoch, epoch);
}

TEST_F(RestoreGuardTest, TwoRestoresOfOneBackupHaveTwoEpochs) {
  ASSERT_EQ(start(), "");
  const auto old = copy("old.db");
  const auto old_keys = elsewhere_ / "keys.json";
  std::filesystem::copy_file(folder_ / "keys.json", old_keys);
  std::vector<std::uint32_t> epochs;
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(start(), "");
    copy_back(old);
    std::filesystem::copy_file(old_keys, folder_ / "keys.json", std::filesystem::copy_options::overwrite_existing);
    now_ += 100;
    ASSERT_EQ(start(AfterRestore::certainly), "");
    epochs.push_back(keys_->token_keys.epoch);
  }
  EXPECT_NE(epochs[0], epochs[1]) << "links of the first restore would work after the second";
}

TEST_F(RestoreGuardTest, OlderKeysAreRefused) {
  ASSERT_EQ(start(), "");
  std::filesystem::copy_file(folder_ / "keys.json", elsewhere_ / "keys.json");
  ASSERT_EQ(start(AfterRestore::certainly), "");
  std::filesystem::copy_file(elsewhere_ / "keys.json", folder_ / "keys.json",
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_THAT(start(), HasSubstr("is older than the database"));
}

TEST_F(RestoreGuardTest, KeysOfAnotherFolderAreRefusedEvenWithTheFlag) {
  ASSERT_EQ(start(), "");
  std::filesystem::remove(folder_ / "keys.json");  // makes fresh ones, as in another folder
  for (const auto said : {AfterRestore::not_said, AfterRestore::if_restored, AfterRestore::certainly})
    EXPECT_THAT(start(said), HasSubstr("is not the one of this database"));
}

TEST_F(RestoreGuardTest, ADatabaseInANewFolderIsRefusedUntilTheNoteComesAlong) {
  ASSERT_EQ(start(), "");
  store_.reset();
  const auto note = elsewhere_ / "incarnation.json";
  std::filesystem::rename(folder_ / "incarnation.json", note);
  EXPECT_THAT(start(), HasSubstr("bring the whole folder along"));
  std::filesystem::rename(note, folder_ / "incarnation.json");
  EXPECT_EQ(start(), "");
}

TEST_F(RestoreGuardTest, ADamagedNoteIsRefusedAndMadeAnewWhenAccepted) {
  ASSERT_EQ(start(), "");
  std::ofstream(folder_ / "incarnation.json") << "{";
  EXPECT_THAT(start(), HasSubstr("is damaged"));
  EXPECT_EQ(start(AfterRestore::if_restored), "");
  EXPECT_TRUE(accepted_);
  EXPECT_EQ(start(), "");
}

TEST_F(RestoreGuardTest, ARestoreThatWasBrokenOffIsRefusedEvenWithTheFlag) {
  ASSERT_EQ(start(), "");
  auto note = load_note(folder_.path())->value();
  note.restore = domain::RestoreProgress::under_way;
  ASSERT_TRUE(save_note(folder_.path(), note));
  EXPECT_THAT(start(AfterRestore::certainly), HasSubstr("run the same invited restore"));
}

TEST_F(RestoreGuardTest, ARenewalOfUnknownOutcomeMayBecomeVisibleAfterTheNextOne) {
  ASSERT_EQ(start(), "");
  for (const std::size_t visible : {0U, 1U, 2U}) {
    DoubtfulStore doubtful(*store_);
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(renew_incarnation(guarded_, doubtful, *keys_, at(++now_)));
    ASSERT_EQ(doubtful.written.size(), 3U);
    write([&](Transaction& t) { t.set_incarnation(doubtful.written[visible]); });
    EXPECT_EQ(start(), "") << "the one of try " << visible;
  }
}

TEST_F(RestoreGuardTest, ARenewalOfUnknownOutcomeThatNeverCameIsDoneAgain) {
  ASSERT_EQ(start(), "");
  DoubtfulStore doubtful(*store_);
  EXPECT_FALSE(renew_incarnation(guarded_, doubtful, *keys_, at(++now_)));
  const auto before = copy("before.db");
  open();
  ASSERT_TRUE(renew_incarnation(guarded_, *store_, *keys_, at(++now_)));
  EXPECT_EQ(start(), "");
  copy_back(before);
  EXPECT_NE(start(), "") << "what was served before the renewal is an old state";
}

TEST_F(RestoreGuardTest, AnIdThatHasBecomeVisibleIsNotUsedAgain) {
  ASSERT_EQ(start(), "");
  DoubtfulStore doubtful(*store_);
  EXPECT_FALSE(renew_incarnation(guarded_, doubtful, *keys_, at(++now_)));
  write([&](Transaction& t) { t.set_incarnation(doubtful.written.front()); });
  const auto old = copy("old.db");
  ASSERT_EQ(start(), "");
  copy_back(old);
  EXPECT_THAT(start(), HasSubstr("not in the state in which it was served"));
}

TEST_F(RestoreGuardTest, WithoutWritesToTheFolderTheDatabaseIsServedAsBefore) {
  ASSERT_EQ(start(), "");
  const auto before = read([](Transaction& t) { return t.list_incarnations(); });
  std::filesystem::create_directory(elsewhere_.path() / "gone");
  const GuardedFolder gone{elsewhere_.path() / "nowhere", true};
  EXPECT_FALSE(renew_incarnation(gone, *store_, *keys_, at(5)));
  EXPECT_EQ(read([](Transaction& t) { return t.list_incarnations(); }).front().id, before.front().id);
  EXPECT_EQ(start(), "");
}

}  // namespace
}  // namespace invited
