// Files that are damaged, deleted or replaced (hostile-cases D15, D16), and others' readers that will not end (D17).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <random>
#include <thread>

#include "faults/storage/fixed_world.h"
#include "faults/storage/store_process.h"
#include "storage/sqlite_connection.h"
#include "storage/sqlite_store.h"
#include "storage/statement.h"
#include "support/fault_form.h"
#include "support/manual_clock.h"
#include "support/temporary_directory.h"

namespace invited::test {
namespace {

using namespace std::chrono_literals;
using domain::ErrorCode;
using domain::Result;
using domain::Transaction;
using storage::SqliteConnection;
using testing::HasSubstr;

constexpr std::size_t kPage = 4'096;
constexpr std::size_t kLogHeader = 32;
constexpr std::size_t kFrame = 24 + kPage;

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Where the log's last frame ends: behind it there is room, zeros, which no frame begins with.
std::size_t end_of_frames(const std::string& log) {
  const auto last = log.find_last_not_of('\0');
  return last == std::string::npos ? 0 : kLogHeader + ((last - kLogHeader) / kFrame + 1) * kFrame;
}

void write_file(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

class DamageTest : public testing::Test {
 protected:
  DamageTest() {
    options_.path = folder_ / "invited.db";
    options_.watermark_bytes = 0;
    options_.on_fatal = [this](std::string_view reason) { fatal_.set_value(std::string(reason)); };
  }

  std::unique_ptr<domain::Store> open() {
    auto store = storage::open_sqlite_store(options_, clock_);
    EXPECT_TRUE(store) << store.error().message;
    if (!store) return nullptr;
    const auto seeded = (*store)->write([&](Transaction& t) -> Result<void> {
      if (!t.find_app(world_.app.id)) world_.insert_into(t);
      return {};
    });
    EXPECT_TRUE(seeded);
    return std::move(*store);
  }

  Result<void> invite(domain::Store& store) {
    ++number_;
    return store.write([&](Transaction& t) { return world_.send_invite(t, numbered_address(number_), clock_.now()); });
  }

  /// What a crash would leave at this moment.
  struct Image {
    std::string database;
    std::string log;
  };
  Image crash_image() const { return {content_of(options_.path), content_of(options_.path + "-wal")}; }

  /// Opens a store on an image: nothing where it opens, else the message. Whoever is refused has changed nothing.
  std::optional<std::string> refusal(const Image& image) {
    const TemporaryDirectory folder(TemporaryDirectory::in_memory());
    storage::SqliteOptions options;
    options.path = folder / "invited.db";
    options.watermark_bytes = 0;
    write_file(options.path, image.database);
    write_file(options.path + "-wal", image.log);
    auto store = storage::open_sqlite_store(options, clock_);
    if (!store) {
      EXPECT_EQ(content_of(options.path), image.database);
      EXPECT_EQ(content_of(options.path + "-wal"), image.log);
      return store.error().message;
    }
    store->reset();
    is_whole_ = storage::check_sqlite_database(options.path).has_value();
    if (is_whole_) rows_ = inspect(options.path);
    return std::nullopt;
  }

  std::string wait_for_the_end() {
    auto reason = fatal_.get_future();
    return reason.wait_for(5s) == std::future_status::ready ? reason.get() : "no end within five seconds";
  }

  TemporaryDirectory folder_{TemporaryDirectory::in_memory()};
  ManualClock clock_;
  SampleWorld world_ = fixed_world();
  storage::SqliteOptions options_;
  std::promise<std::string> fatal_;
  std::map<long, StoredRows> rows_;  ///< of the image that opened last
  bool is_whole_ = false;            ///< whether that image is so for `invited check`
  long number_ = 0;
};

/// Files that belong to a database in use.
class InUseTest : public DamageTest, public testing::WithParamInterface<const char*> {
 protected:
  std::string file() const { return options_.path + GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(Files, InUseTest, testing::Values("", "-wal", "-shm", ".lock"), [](const auto& which) {
  const std::string ending = which.param;
  return ending.empty() ? "Database" : ending == ".lock" ? "Lock" : ending == "-wal" ? "Log" : "LogIndex";
});

TEST_P(InUseTest, D15DeletedItIsNeverWrittenToWithSuccessAgain) {
  const auto store = open();
  ASSERT_TRUE(invite(*store));
  std::filesystem::remove(file());
  const auto answer = invite(*store);
  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.error().code == ErrorCode::outcome_unknown || answer.error().code == ErrorCode::unavailable);
  if (answer.error().code == ErrorCode::outcome_unknown) {
    EXPECT_THAT(answer.error().message, HasSubstr("call again, a repetition does no harm"));
  }
  EXPECT_THAT(wait_for_the_end(), HasSubstr(file()));
  EXPECT_FALSE(store->is_ready());
  EXPECT_FALSE(invite(*store));
}

TEST_P(InUseTest, D15ReplacedItIsNoticedWithoutAnyCall) {
  const auto store = open();
  ASSERT_TRUE(invite(*store));
  std::this_thread::sleep_for(50ms);  // the writer looks once more after its batch
  const std::string other = folder_ / "other";
  std::filesystem::copy_file(file(), other);
  std::filesystem::rename(other, file());
  EXPECT_THAT(wait_for_the_end(), HasSubstr("replaced"));
  EXPECT_FALSE(invite(*store));
}

TEST_F(DamageTest, D15ALogWithoutItsDatabaseIsNoReasonToBeginAnew) {
  const auto store = open();
  ASSERT_TRUE(invite(*store));
  Image image = crash_image();
  image.database.clear();
  const auto refused = refusal(image);
  ASSERT_TRUE(refused);
  EXPECT_THAT(*refused, HasSubstr("is gone, but its log"));
}

TEST_F(DamageTest, D16AByteFlippedInTheLogIsNeverPassedOver) {
  const auto store = open();
  std::size_t before_the_last = 0;
  for (int i = 0; i < 12; ++i) {
    before_the_last = end_of_frames(content_of(options_.path + "-wal"));
    ASSERT_TRUE(invite(*store));
  }
  const Image image = crash_image();
  ASSERT_EQ(refusal(image), std::nullopt);
  ASSERT_EQ(rows_.size(), 12u);

  std::mt19937 random(7);
  std::uniform_int_distribution<std::size_t> anywhere(0, before_the_last - 1);
  const int places = rounds(200, 5'000);
  for (int i = 0; i < places && !HasFailure(); ++i) {
    const std::size_t place = i < static_cast<int>(kLogHeader) ? static_cast<std::size_t>(i) : anywhere(random);
    SCOPED_TRACE("byte " + std::to_string(place) + " of " + std::to_string(image.log.size()));
    Image flipped = image;
    flipped.log[place] = static_cast<char>(~flipped.log[place]);
    const auto refused = refusal(flipped);
    ASSERT_TRUE(refused) << "it opened, with " << rows_.size() << " of 12 invitations";
    EXPECT_THAT(*refused, HasSubstr("is damaged"));
    EXPECT_THAT(*refused, HasSubstr("Restore your newest backup"));
  }
  std::printf("%d flipped bytes in a log of %zu: each refused\n", places, before_the_last);
}

TEST_F(DamageTest, D16ATornEndOfTheLogIsDroppedWithoutAWord) {
  const auto store = open();
  std::vector<std::size_t> ends;  // of the log, after each invitation
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(invite(*store));
    ends.push_back(end_of_frames(content_of(options_.path + "-wal")));
  }
  const Image image = crash_image();
  const auto acknowledged_before = [&](std::size_t size) {
    return static_cast<std::size_t>(std::ranges::count_if(ends, [&](std::size_t end) { return end <= size; }));
  };

  // The power went while a transaction was written: any of its blocks may be missing, the ones before are all there.
  std::mt19937 random(11);
  for (int i = 0; i < rounds(150, 3'000) && !HasFailure(); ++i) {
    const std::size_t first = static_cast<std::size_t>(i) % ends.size();
    const std::size_t from = first == 0 ? kLogHeader : ends[first - 1];
    std::uniform_int_distribution<std::size_t> inside(from, ends[first] - 1);
    const std::size_t tear = inside(random);
    SCOPED_TRACE("torn at " + std::to_string(tear));
    Image torn = image;
    torn.log.resize(ends[first]);
    switch (i % 3) {
      case 0:
        torn.log.resize(tear);
        break;
      case 1:  // all that follows is zeros
        std::fill(torn.log.begin() + static_cast<std::ptrdiff_t>(tear), torn.log.end(), '\0');
        break;
      default: {  // one block of 512 bytes is missing in the middle
        const std::size_t end = std::min(tear + 512, torn.log.size());
        std::fill(torn.log.begin() + static_cast<std::ptrdiff_t>(tear),
                  torn.log.begin() + static_cast<std::ptrdiff_t>(end), '\0');
      }
    }
    const bool is_whole = torn.log == image.log.substr(0, torn.log.size()) && torn.log.size() == ends[first];
    EXPECT_EQ(refusal(torn), std::nullopt);
    EXPECT_EQ(rows_.size(), acknowledged_before(from) + (is_whole ? 1 : 0));
  }
}

TEST_F(DamageTest, D16WhatATornTransactionLeftBehindIsNotTakenForDamage) {
  auto store = open();
  ASSERT_TRUE(invite(*store));
  const std::size_t end = end_of_frames(content_of(options_.path + "-wal"));
  ASSERT_TRUE(invite(*store));
  Image image = crash_image();
  store.reset();
  // The first block of the last transaction never reached the disk, all others did; then life went on, twice.
  std::fill_n(image.log.begin() + static_cast<std::ptrdiff_t>(end), 512, '\0');
  for (int life = 0; life < 2; ++life) {
    write_file(options_.path, image.database);
    write_file(options_.path + "-wal", image.log);
    store = open();
    ASSERT_TRUE(invite(*store));
    image = crash_image();
    store.reset();
    EXPECT_EQ(refusal(image), std::nullopt);
    EXPECT_EQ(rows_.size(), 2u + static_cast<std::size_t>(life));
  }
}

TEST_F(DamageTest, D16AByteFlippedInTheDatabaseIsRefusedOrHarmless) {
  {
    const auto store = open();
    for (int i = 0; i < 60; ++i) ASSERT_TRUE(invite(*store));
  }
  const Image image = crash_image();
  ASSERT_TRUE(image.log.empty());
  ASSERT_EQ(refusal(image), std::nullopt);

  int at_start = 0;
  int by_check = 0;
  int never = 0;
  const auto flip = [&](std::size_t place, char mask) {
    SCOPED_TRACE("byte " + std::to_string(place));
    Image flipped = image;
    flipped.database[place] = static_cast<char>(flipped.database[place] ^ mask);
    const auto refused = refusal(flipped);
    ++(refused ? at_start : is_whole_ ? never : by_check);
    if (refused) {
      EXPECT_THAT(*refused, HasSubstr("invited.db"));
    }
    return refused.has_value();
  };
  // Where a page says what it is: every time.
  for (std::size_t page = kPage; page < image.database.size(); page += kPage)
    EXPECT_TRUE(flip(page, '\x7f')) << "page " << page / kPage + 1;
  // Elsewhere: SQLite has no checksums, so bytes of a value that stands in no index can change unseen. Neither may ever
  // crash us.
  std::mt19937 random(5);
  std::uniform_int_distribution<std::size_t> anywhere(0, image.database.size() - 1);
  for (int i = 0; i < rounds(150, 3'000) && !HasFailure(); ++i) flip(anywhere(random), '\x15');
  std::printf("%d flipped bytes refused at start, %d found by the whole check, %d in free space or values\n", at_start,
              by_check, never);
  EXPECT_GT(at_start, 0);
}

TEST_F(DamageTest, D16DamageThatIsMetWhileRunningIsTheEnd) {
  const auto store = open();
  const auto answer = store->write([](Transaction&) -> Result<void> {
    throw storage::DatabaseFailure(storage::FailureKind::damaged, "database disk image is malformed");
  });
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::unavailable);
  EXPECT_THAT(wait_for_the_end(), HasSubstr("malformed"));
  EXPECT_FALSE(invite(*store));
}

TEST_F(DamageTest, D16SqlitesWordForDamageIsKnown) {
  {
    ASSERT_TRUE(invite(*open()));
  }
  std::string database = content_of(options_.path);
  SqliteConnection connection(options_.path, SqliteConnection::Role::writer);
  for (std::size_t page = kPage; page < database.size(); page += kPage) database[page] = '\x7f';
  write_file(options_.path, database);
  try {
    storage::Text email;
    storage::Statement(connection, "SELECT invitee_key FROM invitation", {}, {&email}).find();
    FAIL() << "it read " << email;
  } catch (const storage::DatabaseFailure& failure) {
    EXPECT_EQ(failure.kind, storage::FailureKind::damaged) << failure.what();
  }
  EXPECT_THROW(connection.check(std::nullopt), storage::DatabaseFailure);
  const auto checked = storage::check_sqlite_database(options_.path);
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().message, HasSubstr("Restore your newest backup"));
}

TEST_F(DamageTest, D17AReaderWithoutAnEndIsComplainedOfAndHoldsNobodyUp) {
  options_.checkpoint_pages = 40;
  const auto store = open();
  sqlite3* reader = nullptr;
  ASSERT_EQ(sqlite3_open(options_.path.c_str(), &reader), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM invitation", nullptr, nullptr, nullptr), SQLITE_OK);

  const auto log_size = [&] { return end_of_frames(content_of(options_.path + "-wal")); };
  testing::internal::CaptureStderr();
  auto longest = 0ms;
  while (log_size() < 800 * kFrame) {
    const auto began = std::chrono::steady_clock::now();
    ASSERT_TRUE(invite(*store));
    longest = std::max(longest,
                       std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began));
  }
  sqlite3_close(reader);
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("storage.log_grows"));
  EXPECT_THAT(log, HasSubstr("fuser -v " + options_.path));
  // At 160, 320 and 640 pages: not at every checkpoint.
  EXPECT_LE(std::ranges::count(log, '\n'), 4);
  EXPECT_LT(longest, 1'500ms);

  // It is gone: the log starts again, with other salts in its header ("WAL File Format"), instead of growing on.
  const auto salts = [&] { return content_of(options_.path + "-wal").substr(16, 8); };
  const std::string before = salts();
  for (int i = 0; i < 100 && salts() == before; ++i) ASSERT_TRUE(invite(*store));
  EXPECT_NE(salts(), before);
  const auto size = log_size();
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(invite(*store));
  EXPECT_LE(log_size(), size);
}

TEST_F(DamageTest, D17OurOwnReadsEndInTime) {
  {
    ASSERT_TRUE(invite(*open()));
  }
  SqliteConnection reader(options_.path, SqliteConnection::Role::reader, 0, 50ms);
  storage::Statement begin(reader, "BEGIN");
  storage::Statement end(reader, "ROLLBACK");
  storage::Number count = 0;
  storage::Statement endless(
      reader, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n", {}, {&count});
  storage::Statement rows(reader, "SELECT count(*) FROM invitation", {}, {&count});
  for (int round = 0; round < 2; ++round) {
    const auto began = std::chrono::steady_clock::now();
    begin.run();
    EXPECT_THROW(endless.find(), storage::DatabaseFailure);
    end.run();
    EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
    begin.run();
    EXPECT_TRUE(rows.find()) << "the next one has its own time";
    EXPECT_EQ(count, 1);
    end.run();
  }
}

}  // namespace
}  // namespace invited::test
