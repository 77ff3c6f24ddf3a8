// Throw-away PostgreSQL for tests, from Debian's server binaries and never the machine's own cluster: made in a
// temporary folder, reached at 127.0.0.1 and over a socket in that folder, gone with everything in it when its owner
// ends, also when the owner crashes (postgres_keeper.sh). As root the server runs as an unprivileged user. fsync stays
// on, because `invited` insists on it; in memory it costs nothing.
//
// A test that wants a database asks for a PostgresDatabase; one that breaks the server starts a PostgresCluster.
// Not for several threads at once. Whatever goes wrong throws std::runtime_error with the server's own words.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "support/temporary_directory.h"

namespace invited::test {

struct PostgresOptions {
  std::map<std::string, std::string> settings;  ///< of postgresql.conf, e.g. {"deadlock_timeout", "100ms"}
  /// in_memory(), or a folder on a disk for tests that mean the disk.
  std::filesystem::path parent = TemporaryDirectory::in_memory();
};

class PostgresCluster {
 public:
  enum class Stop { kFast, kImmediate };

  /// Why there can be none here; nullopt where the server is installed. Tests say it when they skip.
  static std::optional<std::string> why_not();

  explicit PostgresCluster(const PostgresOptions& options = {});  ///< started, and ready for connections
  ~PostgresCluster();
  PostgresCluster(const PostgresCluster&) = delete;
  PostgresCluster& operator=(const PostgresCluster&) = delete;

  /// A fresh empty database, owned by the role `invited`, which is no superuser. Returns its URL.
  std::string create_database();
  /// For the role `invited`, over TCP.
  std::string url(const std::string& database) const;
  /// For the superuser, over the socket.
  std::string admin_url(const std::string& database = "postgres") const;

  void start();
  void stop(Stop how);
  void restart(Stop how);
  void kill();  ///< kill -9, postmaster and children; start() recovers
  /// Written to postgresql.conf; in force after reload() or restart(), as PostgreSQL has it.
  void set(const std::string& name, const std::string& value);
  void reload();

  int port() const { return port_; }
  std::filesystem::path data() const { return folder_ / "data"; }
  std::string log() const;

 private:
  void control(const std::vector<std::string>& arguments) const;

  std::filesystem::path folder_;
  int port_ = 0;
  int keeper_ = -1;  ///< what postgres_keeper.sh reads; it acts when this closes
  int databases_ = 0;
};

/// A fresh database for one test, dropped with it. On the server that CTest started for the whole run (see
/// invited_test's POSTGRES), or, for a test program run by hand, on one that the program starts once.
class PostgresDatabase {
 public:
  PostgresDatabase();
  ~PostgresDatabase();
  PostgresDatabase(const PostgresDatabase&) = delete;
  PostgresDatabase& operator=(const PostgresDatabase&) = delete;

  const std::string& url() const { return url_; }              ///< its owner's, as `invited` uses it
  const std::string& admin_url() const { return admin_url_; }  ///< the superuser's

 private:
  std::string server_;  ///< the superuser's URL of the maintenance database
  std::string name_;
  std::string url_;
  std::string admin_url_;
};

/// One statement, or several separated by semicolons, on a connection of its own; what the last one returned, row by
/// row, NULL as nullopt.
using PostgresRows = std::vector<std::vector<std::optional<std::string>>>;
PostgresRows postgres_query(const std::string& url, const std::string& sql);

}  // namespace invited::test
