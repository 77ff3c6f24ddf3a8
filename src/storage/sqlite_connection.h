// A connection to a SQLite file with the settings that our promises rest on: WAL, synchronous=FULL, foreign keys. One
// writer, which sees to the log (sqlite_write_back.h), and any number of readers, all in one process (lock_file.h).
// Used by one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "storage/connection.h"

namespace soci {
class session;
class soci_error;
}  // namespace soci

namespace invited::storage {

class SqliteConnection final : public Connection {
 public:
  enum class Role { writer, reader };

  static constexpr int kBusyTimeoutMilliseconds = 2'000;
  static constexpr std::int64_t kPage = 4'096;            ///< bytes
  static constexpr std::int64_t kPageInLog = kPage + 24;  ///< bytes, with the frame's header
  /// Bytes of log after which it is written back. Most pages of an index whose keys come at random then changed several
  /// times, and are written once.
  static constexpr std::uint64_t kLogSize = 128 << 20;
  static constexpr int pages_of_log(std::uint64_t bytes) { return static_cast<int>(bytes / kPageInLog); }
  /// A transaction that reads keeps the log from starting again.
  static constexpr std::chrono::milliseconds kLongestRead{10'000};

  /// Opens `path`; the writer creates it (mode 0600, durable directory entry), unless its log is damaged
  /// (sqlite_log_check.h). A reader's transaction that lasts longer than kLongestRead fails at its next step. Throws
  /// DatabaseFailure with a message for the operator.
  SqliteConnection(const std::string& path, Role role, int checkpoint_pages = pages_of_log(kLogSize),
                   std::chrono::milliseconds longest_read = kLongestRead);
  ~SqliteConnection() override;

  Dialect dialect() const override { return Dialect::sqlite; }
  std::unique_ptr<PreparedStatement> prepare(const std::string& sql, const Parameters& parameters,
                                             const Columns& columns) override;
  void flush() override {}
  void recover() override {}
  bool in_transaction() const override;
  std::string_view begin_write_sql() const override { return "BEGIN IMMEDIATE"; }
  std::string_view begin_read_sql() const override { return "BEGIN"; }
  /// Writes the log back into the file where it has grown enough.
  void maintain() override;
  void make_space() override;
  void end_maintenance() override;
  /// What SQLite keeps to undo a statement, as many pages as it changes, is in a file beside the database meanwhile.
  void expect_large_work(bool expected) override;
  void expect_in_place() override;

  // For SqliteStatement.
  soci::session& session();
  DatabaseFailure failure_of(const soci::soci_error& error) const;
  /// `code`: an extended result code that this connection's last call returned.
  DatabaseFailure failure_of(int code) const;

  /// The writer's: one file more that must stay where it is, as those of the database must.
  void guard(const std::string& path);
  /// Throws DatabaseFailure (damaged) where the database contradicts itself. False: `limit` was over before all of it
  /// was looked at. What no index and no rule of the format knows twice cannot be checked.
  bool check(std::optional<std::chrono::milliseconds> limit);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace invited::storage
