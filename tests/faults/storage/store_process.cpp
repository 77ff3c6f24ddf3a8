#include "faults/storage/store_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace invited::test {

StoreProcess::StoreProcess(const StoreProcessOptions& options) {
  int pipe_ends[2];
  if (::pipe2(pipe_ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  // Put together before the fork: the child of a process with threads must not allocate.
  const std::string threads = std::to_string(options.threads);
  const std::string count = std::to_string(options.count);
  const std::string first = std::to_string(options.first);
  const char* arguments[] = {
      STORE_CHILD, options.database.c_str(), options.notes.c_str(), threads.c_str(), count.c_str(), first.c_str(),
      nullptr};
  std::vector<std::string> settings;
  if (!options.failpoint.empty()) settings.push_back("INVITED_FAILPOINT=" + options.failpoint);
  if (!options.io_fault.empty()) {
    settings.push_back("INVITED_IO_FAULT=" + options.io_fault);
    settings.push_back(std::string("LD_PRELOAD=") + IO_FAULT);
    settings.push_back("ASAN_OPTIONS=verify_asan_link_order=0");
  }
  std::vector<char*> environment;
  for (char** setting = environ; *setting != nullptr; ++setting) environment.push_back(*setting);
  for (std::string& setting : settings) environment.push_back(setting.data());
  environment.push_back(nullptr);

  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(pipe_ends[1], STDOUT_FILENO);
    ::execve(STORE_CHILD, const_cast<char**>(arguments), environment.data());
    ::_exit(127);
  }
  ::close(pipe_ends[1]);
  output_ = pipe_ends[0];
}

StoreProcess::~StoreProcess() {
  kill();
  wait();
  ::close(output_);
}

bool StoreProcess::wait_until_ready(std::chrono::milliseconds limit) {
  pollfd waiting{output_, POLLIN, 0};
  if (::poll(&waiting, 1, static_cast<int>(limit.count())) != 1) return false;
  char first = 0;
  return ::read(output_, &first, 1) == 1 && first == 'r';
}

void StoreProcess::kill() {
  if (!status_) ::kill(pid_, SIGKILL);
}

int StoreProcess::wait() {
  if (!status_) {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    status_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  return *status_;
}

Notes read_notes(const std::string& path) {
  Notes notes;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const auto blank = line.find(' ');
    const long number = std::atol(line.c_str() + blank + 1);
    const std::string answer = line.substr(0, blank);
    (answer == "ok" ? notes.ok : answer == "no" ? notes.no : notes.unknown).insert(number);
    notes.lines.push_back(line);
  }
  return notes;
}

std::map<long, StoredRows> inspect(const std::string& database) {
  std::map<long, StoredRows> rows;
  sqlite3* handle = nullptr;
  if (sqlite3_open_v2(database.c_str(), &handle, SQLITE_OPEN_READWRITE, nullptr) != SQLITE_OK) {
    sqlite3_close(handle);
    return rows;  // killed before there was a file
  }
  const auto each = [&](const char* sql, auto take) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(handle, sql, -1, &statement, nullptr) != SQLITE_OK) return false;
    while (sqlite3_step(statement) == SQLITE_ROW) take(statement);
    sqlite3_finalize(statement);
    return true;
  };
  const auto text = [](sqlite3_stmt* statement, int column) {
    const auto* value = sqlite3_column_text(statement, column);
    return std::string(value == nullptr ? "" : reinterpret_cast<const char*>(value));
  };
  const auto number = [&](sqlite3_stmt* statement) { return std::atol(text(statement, 0).c_str() + 1); };

  each("PRAGMA integrity_check", [&](sqlite3_stmt* row) { EXPECT_EQ(text(row, 0), "ok"); });
  each("PRAGMA foreign_key_check", [&](sqlite3_stmt* row) { ADD_FAILURE() << "an orphan in " << text(row, 0); });
  // Without the tables the process died in its first second: nothing was acknowledged, which the caller checks.
  each("SELECT invitee_key FROM invitation", [&](sqlite3_stmt* row) { ++rows[number(row)].invitations; });
  each("SELECT recipient_key FROM outbox_message", [&](sqlite3_stmt* row) { ++rows[number(row)].messages; });
  each("SELECT invitee_key FROM audit_event JOIN invitation ON invitation.id = audit_event.subject_id",
       [&](sqlite3_stmt* row) { ++rows[number(row)].events; });
  sqlite3_close(handle);
  return rows;
}

void expect_consistent(const Notes& notes, const std::map<long, StoredRows>& rows) {
  for (const auto& [number, found] : rows) {
    EXPECT_EQ(found.invitations, 1) << "number " << number;
    EXPECT_EQ(found.messages, 1) << "number " << number;
    EXPECT_EQ(found.events, 1) << "number " << number;
  }
  for (const long number : notes.ok) EXPECT_TRUE(rows.contains(number)) << "acknowledged and lost: " << number;
  for (const long number : notes.no) EXPECT_FALSE(rows.contains(number)) << "refused and there: " << number;
}

}  // namespace invited::test
