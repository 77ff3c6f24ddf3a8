#include "storage/postgres_checks.h"

#include "base/log.h"

namespace invited::storage {
namespace {

struct Expectation {
  std::string_view setting;
  std::string_view loses;  ///< what an unexpected value means
  std::string_view remedy;
};

constexpr Expectation kMustBeOn[] = {
    {"fsync", "a crash of its machine can damage the database and lose acknowledged invitations",
     "set fsync = on in postgresql.conf"},
    {"full_page_writes", "a power cut can damage the database", "set full_page_writes = on in postgresql.conf"},
};

/// The setting's value, or nothing where the engine does not know it: one that speaks PostgreSQL has its own ways.
std::string value_of(PostgresConnection& connection, std::string_view setting) {
  return connection.ask("SELECT COALESCE(current_setting('" + std::string(setting) + "', true), '')");
}

domain::Result<void> complain(std::string_view setting, std::string_view value, std::string_view loses,
                              std::string_view remedy, const std::set<std::string>& allowed) {
  if (allowed.contains(std::string(setting))) {
    base::log::warning("storage.unsafe_server", {{"setting", setting}, {"value", value}, {"effect", loses}});
    return {};
  }
  return domain::refuse(domain::ErrorCode::unavailable,
                        "The PostgreSQL server has " + std::string(setting) + " = " + std::string(value) + ": " +
                            std::string(loses) + ". Remedy: " + std::string(remedy) +
                            ". To run with it all the same, name it in storage.allow_unsafe.");
}

void warn_of_standbys(PostgresConnection& connection) {
  const std::string standbys = connection.ask("SELECT CAST(count(*) AS TEXT) FROM pg_stat_replication");
  if (standbys == "0" || !value_of(connection, "synchronous_standby_names").empty()) return;
  base::log::warning("storage.asynchronous_standbys", {{"standbys", standbys},
                                                       {"effect", "acknowledged work can be lost in a failover"},
                                                       {"remedy", "name a standby in synchronous_standby_names"}});
}

}  // namespace

domain::Result<void> check_durability(PostgresConnection& connection, const std::set<std::string>& allowed) {
  for (const Expectation& expected : kMustBeOn) {
    const std::string value = value_of(connection, expected.setting);
    if (value == "on" || value.empty()) continue;
    if (auto done = complain(expected.setting, value, expected.loses, expected.remedy, allowed); !done) return done;
  }
  const std::string commit = value_of(connection, "synchronous_commit");
  if (commit == "off" || commit == "local") {
    if (auto done =
            complain("synchronous_commit", commit,
                     commit == "off" ? "a crash of the server loses the last acknowledged invitations"
                                     : "a failover loses acknowledged invitations that the standby does not have yet",
                     "set synchronous_commit = on in postgresql.conf, or for our user by ALTER ROLE … SET", allowed);
        !done)
      return done;
  } else if (commit == "remote_write") {
    base::log::warning("storage.unsafe_server",
                       {{"setting", "synchronous_commit"},
                        {"value", commit},
                        {"effect", "a crash of primary and standby together loses the last acknowledged invitations"}});
  }
  if (connection.ask("SELECT CAST(pg_is_in_recovery() AS TEXT)") == "true")
    return domain::refuse(domain::ErrorCode::unavailable,
                          "The PostgreSQL server is in recovery: it is a standby. Name the primary in `database`, or "
                          "all hosts: postgresql://user@one,two/name.");
  try {
    warn_of_standbys(connection);
  } catch (const DatabaseFailure& failure) {
    if (failure.kind == FailureKind::connection) throw;
    base::log::info("storage.standbys_unknown", {{"reason", failure.what()}});
  }
  return {};
}

domain::Result<void> check_encoding(PostgresConnection& connection) {
  const std::string encoding = value_of(connection, "server_encoding");
  if (encoding == "UTF8" || encoding.empty()) return {};
  return domain::refuse(domain::ErrorCode::unavailable,
                        "The PostgreSQL database's encoding is " + encoding +
                            ", which cannot hold every name: make one with ENCODING 'UTF8' TEMPLATE template0.");
}

}  // namespace invited::storage
