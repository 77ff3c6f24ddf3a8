#include "bench/fill_database.h"

#include <sqlite3.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <random>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/uuid.h"
#include "storage/sqlite_digest.h"

namespace invited::bench {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr int kEnvironments = 50;
constexpr int kInviters = 500;
/// 10 million in a year: however many there are, the newest week is the same.
constexpr milliseconds kBetweenInvitations{3'154};
constexpr hours kLifetime{24 * 7};
constexpr long kRowsInTransaction = 100'000;

long long number_of(base::Timestamp time) { return time.time_since_epoch().count(); }

using Value = std::variant<std::nullptr_t, long long, std::string_view>;

class Database {
 public:
  explicit Database(const std::string& path) {
    if (sqlite3_open_v2(path.c_str(), &handle_, SQLITE_OPEN_READWRITE, nullptr) != SQLITE_OK) fail();
    storage::add_digest_function(handle_);
  }
  ~Database() { sqlite3_close(handle_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void execute(const char* sql) {
    if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail();
  }
  [[noreturn]] void fail() const {
    std::fprintf(stderr, "fill: %s\n", sqlite3_errmsg(handle_));
    std::exit(1);
  }
  sqlite3* handle() const { return handle_; }

 private:
  sqlite3* handle_ = nullptr;
};

class Insert {
 public:
  Insert(Database& database, const char* sql) : database_(database) {
    if (sqlite3_prepare_v3(database.handle(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr) != SQLITE_OK)
      database.fail();
  }
  ~Insert() { sqlite3_finalize(statement_); }
  Insert(const Insert&) = delete;
  Insert& operator=(const Insert&) = delete;

  void operator()(std::initializer_list<Value> values) {
    int at = 0;
    for (const Value& value : values) {
      ++at;
      if (const auto* text = std::get_if<std::string_view>(&value))
        sqlite3_bind_text(statement_, at, text->data(), static_cast<int>(text->size()), SQLITE_STATIC);
      else if (const auto* number = std::get_if<long long>(&value))
        sqlite3_bind_int64(statement_, at, *number);
      else
        sqlite3_bind_null(statement_, at);
    }
    if (sqlite3_step(statement_) != SQLITE_DONE || sqlite3_reset(statement_) != SQLITE_OK) database_.fail();
  }

 private:
  Database& database_;
  sqlite3_stmt* statement_ = nullptr;
};

/// What became of an invitation.
enum class Fate { pending, accepted, declined, revoked, superseded };

class Filler {
 public:
  explicit Filler(Database& database) : database_(database) {}

  void make_apps(base::Timestamp at) {
    const std::string app = base::Uuid::ordered(at).to_string();
    role_ = base::Uuid::random().to_string();
    Insert(database_,
           "INSERT INTO app (id, name, url, language, created_at) VALUES (?, 'Harbour Planner',"
           " 'https://planner.example.org/', 'en', ?)")({app, number_of(at)});
    Insert(database_,
           "INSERT INTO role (app_id, id, name, created_at) VALUES (?, ?, 'Planner', ?)")({app, role_, number_of(at)});
    Insert environment(database_,
                       "INSERT INTO environment (id, app_id, name, disabled, created_at)"
                       " VALUES (?, ?, ?, 0, ?)");
    for (int i = 0; i < kEnvironments; ++i) {
      environments_.push_back(base::Uuid::random().to_string());
      environment({environments_.back(), app, "Environment " + std::to_string(i), number_of(at)});
    }
    for (int i = 0; i < kInviters; ++i) {
      inviters_.push_back(base::Uuid::ordered(at).to_string());
      const std::string email = "inviter-" + base::Uuid::random().to_string() + "@example.com";
      account_({inviters_.back(), email, email, "Grace Hopper", kPasswordHash, number_of(at)});
      access_({inviters_.back(), environments_[static_cast<std::size_t>(i % kEnvironments)], role_, number_of(at)});
    }
  }

  void invite(long number, base::Timestamp created, base::Timestamp now) {
    const std::string email = address_of(number);
    const std::string& environment = environments_[random_() % environments_.size()];
    const std::string& inviter = inviters_[random_() % inviters_.size()];
    const Fate fate = draw_fate(created, now);
    const base::Timestamp expires = created + kLifetime;
    const base::Timestamp settled = std::min(created + hours(1) + milliseconds(random_() % 86'400'000UL), now);
    const std::string invitation = base::Uuid::ordered(created).to_string();
    const std::string message = base::Uuid::ordered(created).to_string();
    const Value settled_at = fate == Fate::pending ? Value() : Value(number_of(settled));
    invitation_({invitation, environment, role_, inviter, email, email, email, word(fate), number_of(created),
                 number_of(created), number_of(expires), settled_at});
    const base::Timestamp sent = created + milliseconds(700);
    message_({message, "invitation_to_sign_up", "sent", environment, invitation, email, email, email,
              number_of(created), number_of(created), number_of(created), number_of(expires), 1LL, 1LL,
              number_of(sent)});
    attempt_({message, number_of(created + milliseconds(500)), number_of(sent)});
    event(created, "environment:" + environment, "invitation.created", invitation,
          "invitee=" + email + " inviter=inviter-" + inviter + "@example.com role=" + role_);
    if (fate == Fate::declined) event(settled, "invitee", "invitation.declined", invitation, "");
    if (fate == Fate::revoked) event(settled, "operator", "invitation.revoked", invitation, "");
    if (fate == Fate::accepted) accept(email, environment, invitation, settled);
  }

  void queue(long number, base::Timestamp now) {
    const std::string email = address_of(number);
    const std::string& environment = environments_[random_() % environments_.size()];
    const std::string& inviter = inviters_[random_() % inviters_.size()];
    const std::string invitation = base::Uuid::ordered(now).to_string();
    invitation_({invitation, environment, role_, inviter, email, email, email, word(Fate::pending), number_of(now),
                 number_of(now), number_of(now + kLifetime), nullptr});
    message_({base::Uuid::ordered(now).to_string(), "invitation_to_sign_up", "queued", environment, invitation, email,
              email, email, number_of(now), number_of(now), number_of(now), number_of(now + kLifetime), 0LL, 0LL,
              nullptr});
    event(now, "environment:" + environment, "invitation.created", invitation,
          "invitee=" + email + " inviter=inviter-" + inviter + "@example.com role=" + role_);
  }

 private:
  static constexpr std::string_view kPasswordHash =
      "$argon2id$v=19$m=19456,t=2,p=1$0123456789abcdefghijkl$0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";

  static std::string_view word(Fate fate) {
    switch (fate) {
      case Fate::pending:
        return "pending";
      case Fate::accepted:
        return "accepted";
      case Fate::declined:
        return "declined";
      case Fate::revoked:
        return "revoked";
      case Fate::superseded:
        return "expired";
    }
    return "pending";
  }

  /// Of those older than a week one in four was never answered: stored as pending, and over.
  Fate draw_fate(base::Timestamp created, base::Timestamp now) {
    const bool is_old = now - created > kLifetime;
    const auto dice = random_() % 1'000;
    if (dice < (is_old ? 680U : 400U)) return Fate::accepted;
    if (dice < (is_old ? 720U : 430U)) return Fate::declined;
    if (dice < (is_old ? 721U : 431U)) return Fate::revoked;
    return is_old && dice < 740 ? Fate::superseded : Fate::pending;
  }

  void accept(const std::string& email, const std::string& environment, const std::string& invitation,
              base::Timestamp at) {
    const std::string account = base::Uuid::ordered(at).to_string();
    account_({account, email, email, "Ada Lovelace", kPasswordHash, number_of(at)});
    access_({account, environment, role_, number_of(at)});
    event(at, "invitee", "account.created", account, "email=" + email);
    event(at, "account:" + account, "invitation.accepted", invitation, "");
    event(at, "account:" + account, "access.granted", account, "environment=" + environment + " role=" + role_);
  }

  void event(base::Timestamp at, std::string_view actor, std::string_view action, std::string_view subject,
             std::string_view detail) {
    event_({number_of(at), actor, action, subject, detail});
  }

  Database& database_;
  std::mt19937_64 random_{20'261'121};
  std::string role_;
  std::vector<std::string> environments_;
  std::vector<std::string> inviters_;
  Insert account_{database_,
                  "INSERT INTO account (id, email, email_key, name, password_hash, disabled, created_at)"
                  " VALUES (?, ?, ?, ?, ?, 0, ?)"};
  Insert access_{database_, "INSERT INTO access (account_id, environment_id, role_id, granted_at) VALUES (?, ?, ?, ?)"};
  Insert invitation_{
      database_,
      "INSERT INTO invitation (id, environment_id, role_id, inviter_id, invitee, invitee_key, mailbox,"
      " state, generation, created_at, sent_at, expires_at, settled_at, mailbox_digest, invitee_digest)"
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, ?9, ?10, ?11, ?12, digest(8, ?7), digest(16, ?2, ?6))"};
  Insert message_{database_,
                  "INSERT INTO outbox_message (id, kind, state, environment_id, invitation_id, generation, recipient,"
                  " recipient_key, mailbox, language, inviter_name, app_name, app_url, role_name, queued_at,"
                  " not_before, due_at, expires_at, attempts, deaths, claims, finished_at, last_error)"
                  " VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, 'en', 'Grace Hopper', 'Harbour Planner',"
                  " 'https://planner.example.org/', 'Planner', ?, ?, ?, ?, ?, 0, ?, ?, '')"};
  Insert attempt_{database_,
                  "INSERT INTO attempt (message_id, number, started_at, finished_at, outcome, reply_code, stage,"
                  " explanation) VALUES (?, 1, ?, ?, 'sent', 250, 'message', '2.0.0 Ok: queued as 4F1B2C3D4E')"};
  Insert event_{database_, "INSERT INTO audit_event (at, actor, action, subject_id, detail) VALUES (?, ?, ?, ?, ?)"};
};

}  // namespace

std::string address_of(long number) {
  const auto mixed = static_cast<unsigned long>(number) * 0x9e3779b97f4a7c15UL;
  char text[64];
  std::snprintf(text, sizeof text, "person-%016lx@example.com", mixed);
  return text;
}

void fill_database(const FillOptions& options) {
  Database database(options.path);
  // No log, no sync, most of the random keys in memory: nobody depends on this database yet.
  database.execute(
      "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -3000000; PRAGMA temp_store = MEMORY");
  const base::Timestamp now = base::SystemClock().now();
  // Numbers that no earlier filling and no benchmark used.
  const long first = static_cast<long>(number_of(now)) * 1'000;
  const base::Timestamp begin = now - kBetweenInvitations * options.invitations;
  {
    Filler filler(database);
    const long total = options.invitations + options.queued;
    database.execute("BEGIN");
    filler.make_apps(begin);
    for (long done = 0; done < total; ++done) {
      if (done % kRowsInTransaction == 0 && done > 0) {
        database.execute("COMMIT; BEGIN");
        std::fprintf(stderr, "   filled %ld of %ld\n", done, total);
      }
      if (done < options.invitations)
        filler.invite(first + done, begin + kBetweenInvitations * done, now);
      else
        filler.queue(first + done, now);
    }
    database.execute("COMMIT");
  }
  database.execute("PRAGMA journal_mode = WAL");
}

}  // namespace invited::bench
