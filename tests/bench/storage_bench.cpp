// How many durable SendInvite transactions the store takes a second: through Store::write with many callers, and with
// the C interface of SQLite alone (the same statements, the same batch size, SQLite's own writing to its log). Prints a
// table; `--json` adds one line.
// Usage: storage_bench [--json] [--seconds N] [--folder DIR] [--only store-64|store-256|sqlite-64|sqlite-256]
//        storage_bench --postgres URL [--callers N] [--seconds N]     the store on a database of its own (postgres.py)
#include <sqlite3.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "storage/postgres_store.h"
#include "storage/sqlite_digest.h"
#include "storage/sqlite_store.h"
#include "support/sample_data.h"
#include "support/temporary_directory.h"

namespace {

using namespace invited;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::string fresh_address(long number) {
  // Random order, as real addresses come: what an index on them costs depends on it.
  const auto mixed = static_cast<unsigned long>(number) * 0x9e3779b97f4a7c15UL;
  char text[64];
  std::snprintf(text, sizeof text, "person-%016lx@example.com", mixed);
  return text;
}

/// CPU time of the process so far. On a machine that does other things too it tells more than the time on the wall.
double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// CPU time of the store's writer thread so far: what bounds the store however many callers there are.
double writer_seconds() {
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::ifstream(task.path() / "comm") >> name;
    double nanoseconds = 0;
    if (name == "storage-writer" && std::ifstream(task.path() / "schedstat") >> nanoseconds) return nanoseconds / 1e9;
  }
  return 0;
}

struct Figures {
  double per_second = 0;
  double cpu_us = 0;     ///< for each transaction, callers included
  double writer_us = 0;  ///< of that, the writer thread's
  double p50_ms = 0;
  double p99_ms = 0;
};

Figures run_store(domain::Store& store, int threads, double seconds) {
  const base::SystemClock clock;
  // Of its own in every run, as PostgreSQL's database is not new each time.
  const std::string run = base::Uuid::random().to_string().substr(0, 8);
  test::SampleWorld world;
  world.inviter = test::sample_account("inviter-" + run + "@example.com");
  static_cast<void>(store.write([&](domain::Transaction& transaction) -> domain::Result<void> {
    world.insert_into(transaction);
    return {};
  }));

  std::atomic<bool> stop{false};
  std::atomic<long> next{0};
  std::vector<std::vector<double>> latencies(static_cast<std::size_t>(threads));
  std::vector<std::thread> callers;
  const double cpu = cpu_seconds();
  const auto start = Clock::now();
  for (auto& own : latencies)
    callers.emplace_back([&] {
      while (!stop.load(std::memory_order_relaxed)) {
        const std::string email = run + fresh_address(next.fetch_add(1));
        const auto begin = Clock::now();
        const auto done = store.write(
            [&](domain::Transaction& transaction) { return world.send_invite(transaction, email, clock.now()); },
            domain::Urgency::new_work, {.invitee_keys = {email}});
        if (!done) {
          std::fprintf(stderr, "%s\n", done.error().message.c_str());
          std::exit(1);
        }
        own.push_back(seconds_since(begin) * 1000);
      }
    });
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  stop = true;
  for (std::thread& caller : callers) caller.join();
  const double elapsed = seconds_since(start);
  const double writer = writer_seconds();

  std::vector<double> all;
  for (const auto& own : latencies) all.insert(all.end(), own.begin(), own.end());
  std::sort(all.begin(), all.end());
  if (all.empty()) return {};
  const auto count = static_cast<double>(all.size());
  return {count / elapsed, (cpu_seconds() - cpu) * 1e6 / count, writer * 1e6 / count, all[all.size() / 2],
          all[all.size() * 99 / 100]};
}

template <class Opened>
Opened require(domain::Result<Opened> opened) {
  if (opened) return *std::move(opened);
  std::fprintf(stderr, "%s\n", opened.error().message.c_str());
  std::exit(1);
}

Figures run_sqlite(const std::string& folder, int threads, double seconds) {
  storage::SqliteOptions options;
  options.path = folder + "/store-" + std::to_string(threads) + ".db";
  return run_store(*require(storage::open_sqlite_store(options, base::SystemClock())), threads, seconds);
}

Figures run_postgres(const std::string& url, int threads, double seconds) {
  storage::PostgresOptions options;
  options.url = url;
  const auto opened = require(storage::open_postgres_store(options));
  return run_store(*opened.store, threads, seconds);
}

/// The same statements without C++ around them.
class BareSqlite {
 public:
  BareSqlite(const std::string& path, const test::SampleWorld& world) : world_(world) {
    check(sqlite3_open(path.c_str(), &database_));
    storage::add_digest_function(database_);
    execute(
        "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16384;"
        "PRAGMA wal_autocheckpoint=2000");
    for (const char* sql : kSql) {
      sqlite3_stmt* statement = nullptr;
      check(sqlite3_prepare_v3(database_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
      statements_.push_back(statement);
    }
  }
  ~BareSqlite() {
    for (sqlite3_stmt* statement : statements_) sqlite3_finalize(statement);
    sqlite3_close(database_);
  }

  void batch(long first, int size) {
    run(0, {});
    for (long number = first; number < first + size; ++number) send_invite(fresh_address(number));
    run(1, {});
  }

 private:
  using Values = std::vector<std::string>;
  static constexpr const char* kSql[] = {
      "BEGIN IMMEDIATE",
      "COMMIT",
      "SAVEPOINT work",
      "RELEASE work",
      "SELECT id, app_id, name, disabled, password_1_kind, password_1_hash, password_1_valid_from,"
      " password_1_valid_until, password_2_kind, password_2_hash, password_2_valid_from, password_2_valid_until,"
      " created_at, openid_template, refresh_url, refresh_namespace FROM environment WHERE id = ?",
      "SELECT id, email, name, password_hash, password_generation, disabled, created_at FROM account"
      " WHERE email_key = ?",
      "SELECT 1 FROM access WHERE account_id = ? AND environment_id = ? LIMIT 1",
      "SELECT app_id, id, name, created_at FROM role WHERE app_id = ? AND id = ?",
      "SELECT id, name, url, language, created_at FROM app WHERE id = ?",
      "SELECT id FROM invitation WHERE mailbox_digest = digest(8, ?1) AND mailbox = ?1 AND invitee_key = ?2 AND"
      " environment_id = ?3 AND (CASE WHEN state = 'pending' THEN invitee_digest END) = digest(16, ?3, ?2)",
      "SELECT short_term, long_term FROM rate WHERE subject = ?",
      "INSERT INTO rate (subject, short_term, long_term) VALUES (?, 1, 2) ON CONFLICT (subject) DO UPDATE SET"
      " short_term = short_term + 1, long_term = long_term + 1",
      "SELECT outbox_message.not_before FROM invitation JOIN outbox_message ON outbox_message.invitation_id ="
      " invitation.id WHERE mailbox_digest = digest(8, ?1) AND invitation.mailbox = ?1 AND outbox_message.not_before > "
      "0"
      " AND outbox_message.state <> 'cancelled' UNION ALL SELECT not_before FROM outbox_message"
      " WHERE kind = 'already_has_access' AND mailbox = ?1 AND not_before > 0 AND state <> 'cancelled'",
      "INSERT INTO invitation (id, environment_id, role_id, inviter_id, invitee, invitee_key, mailbox, state,"
      " generation, created_at, sent_at, expires_at, settled_at, mailbox_digest, invitee_digest)"
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'pending', 1, 1795163400000, 1795163400000, 1795768200000, NULL,"
      " digest(8, ?7), digest(16, ?2, ?6))",
      "INSERT INTO outbox_message (id, kind, state, environment_id, invitation_id, account_id, generation, recipient,"
      " recipient_key, mailbox, language, inviter_name, app_name, app_url, role_name, queued_at, not_before, due_at,"
      " expires_at, attempts, deaths, claims, finished_at, last_error) VALUES (?, 'invitation_to_sign_up', 'queued', ?,"
      " ?, NULL, 1, ?, ?, ?, 'en', ?, ?, ?, ?, 1795163400000, 1795163400000, 1795163400000, 1795768200000, 0, 0, 0,"
      " NULL, '')",
      "INSERT INTO audit_event (at, actor, action, subject_id, detail) VALUES (1795163400000, ?, 'invitation.created',"
      " ?, ?)",
  };

  void check(int code) {
    if (code == SQLITE_OK) return;
    std::fprintf(stderr, "sqlite: %s\n", sqlite3_errmsg(database_));
    std::exit(1);
  }
  void execute(const char* sql) { check(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr)); }

  void run(std::size_t number, const Values& values) {
    sqlite3_stmt* statement = statements_[number];
    for (std::size_t i = 0; i < values.size(); ++i)
      sqlite3_bind_text(statement, static_cast<int>(i + 1), values[i].data(), static_cast<int>(values[i].size()),
                        SQLITE_STATIC);
    int code = sqlite3_step(statement);
    while (code == SQLITE_ROW) code = sqlite3_step(statement);
    check(sqlite3_reset(statement));
  }

  void send_invite(const std::string& email) {
    const std::string environment = world_.environment.id.to_string();
    const std::string app = world_.app.id.to_string();
    const std::string role = world_.role.id.to_string();
    const std::string inviter = world_.inviter.id.to_string();
    const auto now = base::SystemClock().now();
    const std::string invitation = base::Uuid::ordered(now).to_string();
    run(4, {environment});
    run(5, {world_.inviter.email.key()});
    run(6, {inviter, environment});
    run(7, {app, role});
    run(8, {app});
    run(5, {email});
    run(9, {email, email, environment});
    run(2, {});
    for (const std::string& subject : {"environment:" + environment, "inviter:" + inviter}) {
      run(10, {subject});
      run(11, {subject});
    }
    run(12, {email});
    run(13, {invitation, environment, role, inviter, email, email, email});
    run(14, {base::Uuid::ordered(now).to_string(), environment, invitation, email, email, email, world_.inviter.name,
             world_.app.name, world_.app.url, world_.role.name});
    run(15, {"environment:" + environment, invitation,
             "invitee=" + email + " inviter=" + world_.inviter.email.key() + " role=" + role});
    run(3, {});
  }

  const test::SampleWorld& world_;
  sqlite3* database_ = nullptr;
  std::vector<sqlite3_stmt*> statements_;
};

Figures run_bare(const std::string& folder, int batch, double seconds) {
  storage::SqliteOptions options;
  options.path = folder + "/bare-" + std::to_string(batch) + ".db";
  const test::SampleWorld world;
  {
    auto store = storage::open_sqlite_store(options, base::SystemClock());
    static_cast<void>((*store)->write([&](domain::Transaction& transaction) -> domain::Result<void> {
      world.insert_into(transaction);
      return {};
    }));
  }
  BareSqlite bare(options.path, world);
  const double cpu = cpu_seconds();
  const auto start = Clock::now();
  long done = 0;
  std::vector<double> latencies;
  while (seconds_since(start) < seconds) {
    const auto begin = Clock::now();
    bare.batch(done, batch);
    done += batch;
    latencies.push_back(seconds_since(begin) * 1000);
  }
  std::sort(latencies.begin(), latencies.end());
  const auto count = static_cast<double>(done);
  return {count / seconds_since(start), (cpu_seconds() - cpu) * 1e6 / count, 0, latencies[latencies.size() / 2],
          latencies[latencies.size() * 99 / 100]};
}

void print(const char* what, const Figures& figures) {
  std::printf("%-44s %9.0f/s   p50 %6.2f ms   p99 %6.2f ms   CPU %5.1f us each", what, figures.per_second,
              figures.p50_ms, figures.p99_ms, figures.cpu_us);
  if (figures.writer_us > 0) std::printf(", the writer's %.1f", figures.writer_us);
  std::printf("\n");
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  bool json = false;
  double seconds = 5;
  std::string folder;
  std::string only;
  std::string postgres;
  int callers = 64;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--json") == 0) json = true;
    if (std::strcmp(argv[i], "--seconds") == 0 && i + 1 < argc) seconds = std::atof(argv[++i]);
    if (std::strcmp(argv[i], "--only") == 0 && i + 1 < argc) only = argv[++i];
    if (std::strcmp(argv[i], "--postgres") == 0 && i + 1 < argc) postgres = argv[++i];
    if (std::strcmp(argv[i], "--callers") == 0 && i + 1 < argc) callers = std::atoi(argv[++i]);
    if (std::strcmp(argv[i], "--folder") == 0 && i + 1 < argc) folder = argv[++i];
  }
  base::log::set_level(base::log::Level::warning);
  if (!postgres.empty()) {
    print("store on PostgreSQL", run_postgres(postgres, callers, seconds));
    return 0;
  }
  const test::TemporaryDirectory temporary;
  if (folder.empty()) folder = temporary.path().string();

  const auto measure = [&](const std::string& name, const char* title, auto run) {
    if (!only.empty() && only != name) return Figures{};
    const Figures figures = run();
    print(title, figures);
    return figures;
  };
  const Figures store_64 = measure("store-64", "store, 64 callers", [&] { return run_sqlite(folder, 64, seconds); });
  const Figures store_256 =
      measure("store-256", "store, 256 callers", [&] { return run_sqlite(folder, 256, seconds); });
  const Figures bare_64 = measure("sqlite-64", "SQLite alone, batches of 64 (latency: batch)",
                                  [&] { return run_bare(folder, 64, seconds); });
  const Figures bare_256 =
      measure("sqlite-256", "SQLite alone, batches of 256", [&] { return run_bare(folder, 256, seconds); });
  if (json)
    std::printf(
        "{\"store_64_rps\":%.0f,\"store_256_rps\":%.0f,\"store_64_p99_ms\":%.2f,\"store_256_p99_ms\":%.2f,"
        "\"sqlite_64_rps\":%.0f,\"sqlite_256_rps\":%.0f}\n",
        store_64.per_second, store_256.per_second, store_64.p99_ms, store_256.p99_ms, bare_64.per_second,
        bare_256.per_second);
  return 0;
}
