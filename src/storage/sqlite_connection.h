// A connection to a SQLite file with the settings that our promises rest on: WAL, synchronous=FULL, foreign keys. One
// writer (which also does every checkpoint: the packaged 3.40.1 can corrupt a database that two connections checkpoint)
// and any number of readers, all in one process (lock_file.h). Used by one thread at a time.
#pragma once

#include <memory>
#include <string>

#include "storage/connection.h"

namespace invited::storage {

class SqliteConnection final : public Connection {
 public:
  enum class Role { writer, reader };

  /// Pages of log (4 KiB each) after which the writer writes it back.
  static constexpr int kCheckpointPages = 2'000;

  /// Opens `path`; the writer creates it (mode 0600, durable directory entry). Throws DatabaseFailure with a message
  /// for the operator.
  SqliteConnection(const std::string& path, Role role, int checkpoint_pages = kCheckpointPages);
  ~SqliteConnection() override;

  soci::session& session() override;
  FailureKind classify(const soci::soci_error& error) const override;
  bool in_transaction() const override;
  std::string_view begin_write_sql() const override { return "BEGIN IMMEDIATE"; }
  /// Writes the log back into the file where it has grown enough.
  void maintain() override;
  void give_up() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace invited::storage
