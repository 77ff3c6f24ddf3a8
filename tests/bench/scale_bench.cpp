// What one operation costs in a database of a given size, through the service's own use cases and store. Called by
// scale.py, once for each size; prints one JSON object.
//
// Usage: scale_bench fill DATABASE INVITATIONS [QUEUED]
//        scale_bench measure DATABASE [URL SERVER]   with these: on PostgreSQL, whose first process has the id SERVER,
//                                                    filled with a copy of DATABASE
//        scale_bench measure-backlog DATABASE     the claim alone
//        scale_bench links STATE_DIR COUNT [open] paths of links of the service there, one a line; open: that can be
//        accepted
//
// The unit is CPU time of this process (kernel included) for each operation: the time on the wall depends on whatever
// else the machine does. Each figure is the best of kRounds rounds. At every size the caches of the connections are the
// product's own, and warmed by the same number of operations. On PostgreSQL the server's processes count, too.
#include <sqlite3.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "bench/fill_database.h"
#include "domain/answer_invitation.h"
#include "domain/manage_apps.h"
#include "keys.h"
#include "storage/postgres_store.h"
#include "storage/sqlite_store.h"
#include "support/send_and_wait.h"

namespace {

using namespace invited;
using domain::Result;
using domain::Transaction;

constexpr int kRounds = 5;
constexpr int kCallers = 64;
constexpr int kInvitationsInRound = 2'000;
constexpr int kLookUpsInRound = 3'000;
constexpr int kAcceptancesInRound = 60;  // 2 x Argon2id each
constexpr int kClaimsInRound = 500;
constexpr int kListsInRound = 60;
constexpr std::uint32_t kPage = 100;

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "scale_bench: %s\n", why.c_str());
  std::exit(1);
}

template <class T>
T must(Result<T> result) {
  if (!result) die(result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// The first process of the PostgreSQL server; 0 on SQLite.
int server = 0;

/// CPU time in microseconds of the task or process with that folder in /proc; 0 where it is gone.
double cpu_of(const std::filesystem::path& task) {
  double nanoseconds = 0;
  std::ifstream(task / "schedstat") >> nanoseconds;
  return nanoseconds / 1e3;
}

double server_cpu() {
  if (server == 0) return 0;
  const std::string id = std::to_string(server);
  std::ifstream children("/proc/" + id + "/task/" + id + "/children");
  double sum = 0;
  for (std::string child; children >> child;) sum += cpu_of("/proc/" + child);
  return sum;
}

/// CPU time so far of this process, and of the server.
double process_cpu() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3 + server_cpu();
}

/// CPU time so far of the store's writer thread, and of the server.
double writer_cpu() {
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::ifstream(task.path() / "comm") >> name;
    if (name == "storage-writer") return cpu_of(task.path()) + server_cpu();
  }
  return server_cpu();
}

/// The best of kRounds, in microseconds for each of `operations`.
template <class Round>
double best_of(int operations, double (*cpu)(), Round round) {
  double best = 1e300;
  for (int i = 0; i < kRounds; ++i) {
    const double before = cpu();
    round();
    best = std::min(best, (cpu() - before) / operations);
  }
  return best;
}

/// Rows picked at random, with a connection of its own, so that the store's caches learn nothing of it.
class Picker {
 public:
  explicit Picker(const std::string& path) {
    if (sqlite3_open_v2(path.c_str(), &handle_, SQLITE_OPEN_READONLY, nullptr) != SQLITE_OK) die("cannot open " + path);
  }
  ~Picker() { sqlite3_close(handle_); }
  Picker(const Picker&) = delete;
  Picker& operator=(const Picker&) = delete;

  std::vector<std::vector<std::string>> rows(const std::string& sql) {
    std::vector<std::vector<std::string>> found;
    const auto take = [](void* target, int columns, char** values, char**) {
      static_cast<decltype(&found)>(target)->emplace_back(values, values + columns);
      return 0;
    };
    if (sqlite3_exec(handle_, sql.c_str(), take, &found, nullptr) != SQLITE_OK) die(sqlite3_errmsg(handle_));
    return found;
  }
  long long number(const std::string& sql) { return std::atoll(rows(sql).at(0).at(0).c_str()); }

  /// Invitations anywhere between the oldest and the newest.
  std::vector<std::vector<std::string>> invitations(int count, const std::string& columns, const std::string& where) {
    const auto newest = static_cast<unsigned long long>(number("SELECT MAX(seq) FROM invitation"));
    std::vector<std::vector<std::string>> found;
    for (int tries = 0; std::ssize(found) < count; ++tries) {
      if (tries > 1'000 * count) die("there are not enough invitations with " + where);
      const auto one = rows("SELECT " + columns +
                            " FROM invitation WHERE seq = " + std::to_string(1 + random_() % newest) + " AND " + where);
      if (!one.empty()) found.push_back(one.front());
    }
    return found;
  }

  /// Of 2,000 that can be accepted, id and generation. With another `offset` others of the newest: on PostgreSQL, what
  /// was accepted is still open in the copy that these are picked from.
  std::vector<std::vector<std::string>> open_invitations(int count, int offset) {
    const base::Timestamp soon = base::SystemClock().now() + std::chrono::minutes(10);
    auto found = rows("SELECT id, generation FROM invitation WHERE state = 'pending' AND expires_at > " +
                      std::to_string(soon.time_since_epoch().count()) + " ORDER BY seq DESC LIMIT 2000 OFFSET " +
                      std::to_string(offset));
    if (std::ssize(found) < count) die("there are not enough open invitations");
    std::shuffle(found.begin(), found.end(), random_);
    found.resize(static_cast<std::size_t>(count));
    return found;
  }

 private:
  sqlite3* handle_ = nullptr;
  std::mt19937_64 random_{7};
};

/// The use cases' surroundings, with an app of its own and no limit on rates.
struct World {
  /// On PostgreSQL where `url` says so.
  World(const std::string& path, const std::string& url) {
    if (url.empty()) {
      storage::SqliteOptions options;
      options.path = path;
      store = must(storage::open_sqlite_store(options, clock));
    } else {
      storage::PostgresOptions options;
      options.url = url;
      auto opened = must(storage::open_postgres_store(options));
      server_clock = std::move(opened.clock);
      store = std::move(opened.store);
    }
    policy.environment_per_second = policy.environment_per_day = 0;
    policy.inviter_per_hour = policy.inviter_per_day = 0;
    keys.keys.push_back({1, base::Secret(std::string(32, 'k'))});
    authenticator.emplace(*store, clock, base::Secret(std::string(32, 'p')), policy);
    const base::Timestamp now = clock.now();
    app = {base::Uuid::ordered(now), "Bench", "https://bench.example.org/", base::Language::en, now};
    role = {app.id, base::Uuid::random(), "User", now};
    environment = {base::Uuid::random(), app.id, "Bench", false, {}, now};
    environment.passwords.push_back({domain::PasswordKind::issued,
                                     domain::hash_issued_password(authenticator->pepper(), kPassword), now,
                                     std::nullopt});
    inviter = {base::Uuid::ordered(now),
               *domain::EmailAddress::parse(base::Uuid::random().to_string() + "@example.com"),
               "Grace Hopper",
               "",
               false,
               now};
    must(store->write([&](Transaction& transaction) -> Result<void> {
      transaction.insert(app);
      transaction.insert(role);
      transaction.insert(environment);
      transaction.insert(inviter);
      transaction.insert(domain::Access{inviter.id, environment.id, role.id, now});
      return {};
    }));
  }

  static constexpr const char* kPassword = "a password of forty characters, as issued";

  base::SystemClock clock;
  std::unique_ptr<base::Clock> server_clock;  // outlives the store
  std::unique_ptr<domain::Store> store;
  domain::Policy policy;
  domain::TokenKeys keys;
  std::optional<domain::EnvironmentAuthenticator> authenticator;
  domain::PasswordHasher hasher;
  domain::AttemptLimiter unlimited{domain::Rate{}};
  domain::App app;
  domain::Role role;
  domain::Environment environment;
  domain::Account inviter{{}, *domain::EmailAddress::parse("x@example.com"), {}, {}, false, {}};

  domain::Context context() {
    return {*store, clock, policy, keys, *authenticator, hasher, unlimited, unlimited, unlimited};
  }
};

void send_many(World& world, int count, std::atomic<long>& next) {
  std::atomic<int> left{count};
  std::vector<std::thread> callers;
  for (int i = 0; i < kCallers; ++i)
    callers.emplace_back([&] {
      domain::Context context = world.context();
      domain::SendInvitation request;
      request.environment_uuid = world.environment.id.to_string();
      request.environment_password = base::Secret(World::kPassword);
      request.role_uuid = world.role.id.to_string();
      request.inviter_email_address = world.inviter.email.text();
      request.client_address = "192.0.2.1";
      while (left.fetch_sub(1) > 0) {
        request.invitee_email_address = bench::address_of(next.fetch_add(1));
        must(domain::send_invitation(request, context));
      }
    });
  for (std::thread& caller : callers) caller.join();
}

/// As the delivery worker does it: the outcome of one and the claim of the next in one transaction.
void claim_many(World& world, int count, std::optional<domain::Lease>& under_way) {
  for (int i = 0; i < count; ++i)
    must(world.store->write([&](Transaction& transaction) -> Result<void> {
      const base::Timestamp now = world.clock.now();
      if (under_way)
        transaction.finish_attempt(*under_way, {domain::DeliveryOutcome::sent, 250, "message", "2.0.0 Ok"}, {}, now);
      transaction.find_mail_hold();
      auto leases = transaction.claim_due_messages(1, now, now + std::chrono::minutes(20));
      if (leases.empty()) die("no mail is due");
      under_way = std::move(leases.front());
      return {};
    }));
}

std::vector<std::string> tokens_of(World& world, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::string> tokens;
  for (const auto& row : rows)
    tokens.push_back(domain::make_token(
        world.keys, {*base::Uuid::parse(row[0]), static_cast<std::uint32_t>(std::atoi(row[1].c_str()))}));
  return tokens;
}

using Figures = std::map<std::string, double>;

double measure_claims(World& world) {
  std::optional<domain::Lease> under_way;
  claim_many(world, 100, under_way);
  return best_of(kClaimsInRound, process_cpu, [&] { claim_many(world, kClaimsInRound, under_way); });
}

void measure_answers(World& world, Picker& picker, Figures& figures) {
  domain::Context context = world.context();
  const auto tokens = tokens_of(world, picker.invitations((kRounds + 1) * kLookUpsInRound, "id, generation", "1"));
  std::size_t next = 0;
  const auto look_up = [&] {
    for (int i = 0; i < kLookUpsInRound; ++i)
      must(domain::view_invitation(tokens[next++ % tokens.size()], "192.0.2.1", context));
  };
  look_up();
  figures["link look-up"] = best_of(kLookUpsInRound, process_cpu, look_up);

  // Hashing the password costs a thousand times as much and has nothing to do with the size: of accepting, the writer's
  // CPU counts.
  const auto links = tokens_of(world, picker.open_invitations((kRounds + 1) * kAcceptancesInRound, 0));
  next = 0;
  const auto accept = [&] {
    for (int i = 0; i < kAcceptancesInRound; ++i) {
      domain::AcceptInvitation request;
      request.token = links.at(next++);
      request.name = "Ada Lovelace";
      request.password = base::Secret("quite unguessable 4711 harbour");
      request.password_again = base::Secret("quite unguessable 4711 harbour");
      request.client_address = "192.0.2.1";
      must(domain::accept_invitation(request, context));
    }
  };
  accept();
  figures["accept (store's part)"] = best_of(kAcceptancesInRound, writer_cpu, accept);
}

void measure_lists(World& world, Picker& picker, Figures& figures) {
  using domain::InvitationFilter;
  using domain::InvitationState;
  using domain::MessageState;
  const auto measure = [&](const std::string& name, const std::function<void(Transaction&)>& list) {
    const auto run = [&] {
      for (int i = 0; i < kListsInRound; ++i)
        must(world.store->read([&](Transaction& transaction) -> Result<void> {
          list(transaction);
          return {};
        }));
    };
    run();
    figures[name] = best_of(kListsInRound, process_cpu, run);
  };
  const auto invitations = [&](const std::string& name, std::optional<base::Uuid> of, std::optional<InvitationState> in,
                               domain::Page page) {
    InvitationFilter filter;
    filter.environment_id = of;
    filter.state = in;
    filter.now = world.clock.now();
    measure("list " + name, [filter, page](Transaction& transaction) { transaction.list_invitations(filter, page); });
  };
  const auto environment =
      base::Uuid::parse(picker.rows("SELECT id FROM environment WHERE name = 'Environment 0' LIMIT 1").at(0).at(0));
  invitations("newest", {}, {}, {.limit = kPage});
  invitations("of an environment", environment, {}, {.limit = kPage});
  for (const auto state : {InvitationState::pending, InvitationState::accepted, InvitationState::declined,
                           InvitationState::revoked, InvitationState::expired}) {
    const std::string word(domain::to_string(state));
    invitations(word, {}, state, {.limit = 20});
    invitations(word + " of an environment", environment, state, {.limit = 20});
  }
  const auto people = picker.invitations(kListsInRound, "invitee_key", "1");
  std::size_t next = 0;
  measure("list of an invitee", [&](Transaction& transaction) {
    InvitationFilter filter;
    filter.invitee_key = people[next++ % people.size()][0];
    filter.now = world.clock.now();
    transaction.list_invitations(filter, {.limit = kPage});
  });
  measure("mail list", [](Transaction& transaction) { transaction.list_messages({}, {.limit = kPage}); });
  for (const auto state : {MessageState::queued, MessageState::sent, MessageState::failed, MessageState::cancelled})
    measure("mail list " + std::string(domain::to_string(state)),
            [state](Transaction& transaction) { transaction.list_messages(state, {.limit = 20}); });
  measure("audit list", [](Transaction& transaction) { transaction.list_audit_events({.limit = kPage}); });
  measure("account list", [](Transaction& transaction) { transaction.list_accounts({.limit = kPage}); });
}

/// What is picked is picked from the file at `path`, which the store is, or is a copy of.
Figures measure(const std::string& path, const std::string& url) {
  Figures figures;
  World world(path, url);
  Picker picker(path);
  std::atomic<long> next{static_cast<long>(world.clock.now().time_since_epoch().count()) * 1'000'000};
  const auto send = [&] { send_many(world, kInvitationsInRound, next); };
  send();
  figures["SendInvite"] = best_of(kInvitationsInRound, process_cpu, send);
  figures["SendInvite, writer"] = best_of(kInvitationsInRound, writer_cpu, send);
  figures["outbox claim"] = measure_claims(world);
  measure_answers(world, picker, figures);
  measure_lists(world, picker, figures);
  return figures;
}

int print_links(const std::string& state_dir, int count, bool open) {
  const auto keys = load_keys(state_dir);
  if (!keys) die(keys.error());
  Picker picker(state_dir + "/invited.db");
  const auto rows = open ? picker.open_invitations(count, 2'000) : picker.invitations(count, "id, generation", "1");
  for (const auto& row : rows) {
    const domain::TokenSubject subject{*base::Uuid::parse(row[0]),
                                       static_cast<std::uint32_t>(std::atoi(row[1].c_str()))};
    std::printf("/i/%s\n", domain::make_token(keys->token_keys, subject).c_str());
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  base::log::set_level(base::log::Level::warning);
  const std::string command = argc > 2 ? argv[1] : "";
  const std::string path = argc > 2 ? argv[2] : "";
  if (command == "fill" && argc > 3) {
    bench::fill_database({path, std::atol(argv[3]), argc > 4 ? std::atol(argv[4]) : 0});
  } else if (command == "measure") {
    if (argc > 4) server = std::atoi(argv[4]);
    std::printf("%s\n", nlohmann::json(measure(path, argc > 3 ? argv[3] : "")).dump().c_str());
  } else if (command == "measure-backlog") {
    World world(path, "");
    std::printf("%s\n", nlohmann::json(Figures{{"outbox claim, long queue", measure_claims(world)}}).dump().c_str());
  } else if (command == "links" && argc > 3) {
    return print_links(path, std::atoi(argv[3]), argc > 4);
  } else {
    std::fprintf(stderr, "usage: see the top of scale_bench.cpp\n");
    return 2;
  }
  return 0;
}
