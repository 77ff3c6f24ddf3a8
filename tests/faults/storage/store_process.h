// Runs store_child and compares, afterwards, what it was told with what is in the database.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/types.h>

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace invited::test {

struct StoreProcessOptions {
  std::string database;
  std::string notes;
  int threads = 1;
  long count = 0;  ///< -1: without end
  long first = 1;
  std::string failpoint;  ///< INVITED_FAILPOINT
  std::string io_fault;   ///< INVITED_IO_FAULT, with io_fault preloaded
};

class StoreProcess {
 public:
  explicit StoreProcess(const StoreProcessOptions& options);
  ~StoreProcess();  ///< kills it
  StoreProcess(const StoreProcess&) = delete;
  StoreProcess& operator=(const StoreProcess&) = delete;

  /// True once it said "ready"; false when it ended before, or after `limit`.
  bool wait_until_ready(std::chrono::milliseconds limit);
  void kill();
  /// Its exit status, or minus the signal that ended it.
  int wait();
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  int output_ = -1;
  std::optional<int> status_;
};

struct Notes {
  std::set<long> ok;
  std::set<long> no;
  std::set<long> unknown;
  std::vector<std::string> lines;
};
Notes read_notes(const std::string& path);

/// Each invitation by number, as the database has it after recovery: how many invitations, mails and audit events.
struct StoredRows {
  long invitations = 0;
  long messages = 0;
  long events = 0;
};

/// Opens the database as an operator would (which recovers it), checks it as a whole and reads the rows.
std::map<long, StoredRows> inspect(const std::string& database);

/// What must hold however the process ended: all that was acknowledged is there, once and whole; nothing that was
/// refused is; of what nobody was told, all or nothing.
void expect_consistent(const Notes& notes, const std::map<long, StoredRows>& rows);

}  // namespace invited::test
