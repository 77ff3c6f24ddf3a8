#include "storage/postgres_connection.h"

#include <libpq-fe.h>
#include <poll.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <future>
#include <system_error>
#include <thread>

#include "base/log.h"
#include "base/translation.h"
#include "storage/jitter.h"
#include "storage/postgres_statement.h"

namespace invited::storage {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// What we wait longer than the server does before we take it for dead.
constexpr milliseconds kPatience{1'000};
/// For one host; libpq knows seconds only, and not less than two.
constexpr const char* kConnectTimeout = "3";
constexpr milliseconds kFirstReconnectWait{100};
constexpr milliseconds kLongestReconnectWait{2'000};
/// A server that was silent for so long is not waited for again, by connecting, within the same call.
constexpr milliseconds kSilence{1'000};
constexpr const char* kTcpUserTimeout = "4000";
/// Telling a server to stop takes a connection of its own, and libpq waits for that as long as it takes.
constexpr milliseconds kCancelPatience{500};
constexpr int kMostCancelling = 8;
/// Statements that are sent before their results are taken in between, so that neither side's buffers fill up.
constexpr std::size_t kMostUnanswered = 256;
/// Statements that are kept prepared. Ours are some hundred; but what clients ask of lists has any number of forms.
constexpr std::size_t kMostPrepared = 1'000;

/// `where`: the function of the server's that complains; its words are in the server's language.
FailureKind kind_of(std::string_view state, std::string_view where) {
  if (state == "23505") return FailureKind::duplicate;
  if (state == "40001" || state == "40P01") return FailureKind::conflict;
  if (state == "53100") return FailureKind::no_space;
  // A lock that was not to be had in time, or no room for one; a statement that took too long, mostly for the same.
  if (state == "55P03" || state == "57014" || state == "53200") return FailureKind::busy;
  if (state.starts_with("08") || state.starts_with("57P")) return FailureKind::connection;  // 57P01: it shuts down
  if (state == "25006") return FailureKind::connection;  // read-only: it has become a standby
  // What was prepared is of no use any more, because a table was altered or somebody between us and the server has
  // dropped it: a new connection prepares all anew.
  if (state == "26000" || (state == "0A000" && where == "RevalidateCachedQuery")) return FailureKind::connection;
  if (state.starts_with("58") || state.starts_with("XX")) return FailureKind::io;
  return FailureKind::statement;
}

}  // namespace

void PostgresConnection::ResultCloser::operator()(pg_result* result) const { PQclear(result); }
void PostgresConnection::Closer::operator()(pg_conn* connection) const { PQfinish(connection); }

PostgresConnection::PostgresConnection(Settings settings) : settings_(std::move(settings)) { connect(); }

PostgresConnection::~PostgresConnection() = default;

void PostgresConnection::recover() {
  if (is_connected()) return;
  if (steady_clock::now() < next_connect_)
    throw DatabaseFailure(FailureKind::connection, "the database server is not connected");
  try {
    connect();
  } catch (const DatabaseFailure& failure) {
    const auto wait = std::min(kFirstReconnectWait * (1 << std::min(failed_connects_++, 10)), kLongestReconnectWait);
    next_connect_ = steady_clock::now() + jittered(wait);
    base::log::warning("storage.not_connected", {{"reason", failure.what()}, {"tries", failed_connects_}});
    throw;
  }
  base::log::info("storage.connected_again", {{"failed_tries", failed_connects_}});
  failed_connects_ = 0;
}

void PostgresConnection::connect() {
  connection_.reset();
  prepared_.clear();
  sent_.clear();
  warning_.reset();
  // The URL comes first and is expanded; what follows it wins.
  const char* const keywords[] = {"dbname",
                                  "target_session_attrs",
                                  "connect_timeout",
                                  "tcp_user_timeout",
                                  "keepalives",
                                  "keepalives_idle",
                                  "keepalives_interval",
                                  "keepalives_count",
                                  "client_encoding",
                                  "application_name",
                                  nullptr};
  const char* const values[] = {settings_.url.c_str(),
                                "read-write",
                                kConnectTimeout,
                                kTcpUserTimeout,
                                "1",
                                "5",
                                "2",
                                "2",
                                "UTF8",
                                settings_.application_name.c_str(),
                                nullptr};
  connection_.reset(PQconnectdbParams(keywords, values, /*expand_dbname=*/1));
  if (!connection_) throw DatabaseFailure(FailureKind::connection, "out of memory");
  if (PQstatus(connection_.get()) != CONNECTION_OK) {
    const std::string why = base::on_one_line(PQerrorMessage(connection_.get()));
    connection_.reset();
    throw DatabaseFailure(FailureKind::connection, why);
  }
  PQsetNoticeReceiver(connection_.get(), receive_notice, this);
  PQsetnonblocking(connection_.get(), 1);
  if (PQenterPipelineMode(connection_.get()) != 1) lose("cannot enter pipeline mode");
  set_up_session();
}

void PostgresConnection::set_up_session() {
  const auto set = [this](const std::string& name, const std::string& value, bool is_needed) {
    try {
      ask("SELECT set_config('" + name + "', '" + value + "', false)");
    } catch (const DatabaseFailure& failure) {
      if (is_needed || failure.kind != FailureKind::statement) throw;
    }
  };
  set("lock_timeout", std::to_string(settings_.lock_timeout.count()), true);
  set("idle_in_transaction_session_timeout", std::to_string(2 * settings_.statement_timeout.count()), true);
  // Ours are look-ups by key: a plan made while a table was small, or before it was analysed, must not walk or hash it
  // when it has grown. Engines that speak PostgreSQL need not know these.
  for (const char* setting : {"enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin", "jit"})
    set(setting, "off", false);
  set("plan_cache_mode", "force_generic_plan", false);
  set_unhurried(false);
}

void PostgresConnection::set_unhurried(bool unhurried) {
  ask("SELECT set_config('statement_timeout', '" + std::to_string(unhurried ? 0 : settings_.statement_timeout.count()) +
      "', false)");
  unhurried_ = unhurried;
}

std::string PostgresConnection::ask(const std::string& sql) {
  send(sql, {});
  const Result result = await();
  if (PQntuples(result.get()) < 1) throw DatabaseFailure(FailureKind::statement, "no answer to: " + sql);
  return PQgetvalue(result.get(), 0, 0);
}

std::pair<base::Timestamp, std::chrono::microseconds> PostgresConnection::ask_clock() {
  const auto start = steady_clock::now();
  const std::string text = ask("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)");
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - start);
  long long number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return {base::Timestamp(base::Milliseconds(number)), took};
}

std::unique_ptr<PreparedStatement> PostgresConnection::prepare(const std::string& sql, const Parameters& parameters,
                                                               const Columns& columns) {
  return std::make_unique<PostgresStatement>(*this, sql, parameters, columns);
}

bool PostgresConnection::in_transaction() const {
  return connection_ && PQtransactionStatus(connection_.get()) != PQTRANS_IDLE;
}

void PostgresConnection::rollback() {
  if (!sent_.empty()) {
    try {
      flush();
    } catch (const DatabaseFailure& failure) {
      if (failure.kind == FailureKind::connection) throw;
    }
  }
  if (!in_transaction()) return;
  send("ROLLBACK", {});
  await();
}

void PostgresConnection::send(const std::string& sql, const std::vector<const char*>& values) {
  if (!connection_) throw DatabaseFailure(FailureKind::connection, "the database server is not connected");
  // Before, not after: the results of the statement that is sent now belong to its caller.
  if (sent_.size() >= kMostUnanswered) flush();
  pg_conn* connection = connection_.get();
  if (sent_.empty()) asked_at_ = steady_clock::now();
  auto known = prepared_.find(sql);
  if (known == prepared_.end() && prepared_.size() >= kMostPrepared) {
    if (PQsendQueryParams(connection, sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(), nullptr,
                          nullptr, /*resultFormat=*/0) != 1)
      lose("sending");
    sent_.push_back({});
    return;
  }
  if (known == prepared_.end()) {
    const std::string name = "s" + std::to_string(next_name_++);
    if (PQsendPrepare(connection, name.c_str(), sql.c_str(), 0, nullptr) != 1) lose("sending");
    sent_.push_back({/*is_prepare=*/true, sql});
    known = prepared_.emplace(sql, name).first;
  }
  if (PQsendQueryPrepared(connection, known->second.c_str(), static_cast<int>(values.size()), values.data(), nullptr,
                          nullptr, /*resultFormat=*/0) != 1)
    lose("sending");
  sent_.push_back({});
}

void PostgresConnection::flush() {
  if (!sent_.empty()) await();
}

PostgresConnection::Result PostgresConnection::await() {
  if (!connection_) throw DatabaseFailure(FailureKind::connection, "the database server is not connected");
  pg_conn* connection = connection_.get();
  if (PQpipelineSync(connection) != 1) lose("sending");
  deadline_ =
      unhurried_ ? steady_clock::time_point::max() : steady_clock::now() + settings_.statement_timeout + kPatience;
  transfer(/*until_readable=*/false);

  const auto next = [&] {
    while (PQisBusy(connection) != 0) transfer(/*until_readable=*/true);
    return Result(PQgetResult(connection));
  };
  Result last;
  std::optional<DatabaseFailure> failure;
  std::vector<Sent> sent = std::exchange(sent_, {});
  for (const Sent& one : sent) {
    Result result = next();
    if (!result) lose("an answer is missing");
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
      if (one.is_prepare) prepared_.erase(one.sql);
      if (status != PGRES_PIPELINE_ABORTED && !failure) failure.emplace(failure_of(result.get()));
    }
    while (Result rest = next()) {
      // The null that ends each statement's results.
    }
    last = std::move(result);
  }
  const Result sync = next();
  if (!sync || PQresultStatus(sync.get()) != PGRES_PIPELINE_SYNC) lose("an answer is missing");
  heard_at_ = steady_clock::now();
  if (failure) {
    if (failure->kind == FailureKind::connection) connection_.reset();
    throw *failure;
  }
  return last;
}

/// Sends what is still to be sent and takes in what comes, until all is sent or, where asked, something came.
void PostgresConnection::transfer(bool until_readable) {
  pg_conn* connection = connection_.get();
  for (;;) {
    const int unsent = PQflush(connection);
    if (unsent < 0) lose(PQerrorMessage(connection));
    if (unsent == 0 && !until_readable) return;
    pollfd descriptor{PQsocket(connection), static_cast<short>(unsent > 0 ? POLLIN | POLLOUT : POLLIN), 0};
    int wait = -1;
    if (deadline_ != steady_clock::time_point::max()) {
      const auto left = std::chrono::ceil<milliseconds>(deadline_ - steady_clock::now());
      if (left <= milliseconds(0)) {
        cancel();
        lose("no answer in time");
      }
      wait = static_cast<int>(left.count());
    }
    const int ready = ::poll(&descriptor, 1, wait);
    if (ready < 0 && errno != EINTR) lose(std::strerror(errno));
    if (ready <= 0) continue;
    if ((descriptor.revents & (POLLIN | POLLERR | POLLHUP)) != 0) {
      if (PQconsumeInput(connection) != 1) lose(PQerrorMessage(connection));
      if (until_readable) return;
    }
  }
}

/// Closing the connection does not end what the server does: a COMMIT that waits for a standby waits for ever, holds
/// its locks and a place among the server's connections, and each new try leaves one more of them.
void PostgresConnection::cancel() {
  static std::atomic<int> cancelling{0};
  struct Request {
    PGcancel* cancel;
    std::promise<void> done;
    ~Request() {
      PQfreeCancel(cancel);
      --cancelling;
      done.set_value();
    }
  };
  PGcancel* const what = PQgetCancel(connection_.get());
  if (what == nullptr) return;
  // More of them wait only where a server takes connections and is silent.
  if (cancelling.fetch_add(1) >= kMostCancelling) {
    --cancelling;
    PQfreeCancel(what);
    return;
  }
  auto request = std::make_unique<Request>(what);
  const std::future<void> done = request->done.get_future();
  try {
    std::thread([request = std::move(request)] {
      char why[256];
      PQcancel(request->cancel, why, sizeof why);
    }).detach();
  } catch (const std::system_error&) {
    return;  // no thread is to be had: the server is left to itself
  }
  done.wait_for(kCancelPatience);
}

void PostgresConnection::lose(const std::string& what) {
  const std::string why = base::on_one_line(what);
  connection_.reset();
  sent_.clear();
  const auto now = steady_clock::now();
  if (now - asked_at_ > kSilence) {
    next_connect_ = now + jittered(kFirstReconnectWait);
    settings_.silence->since.store(asked_at_);
  }
  throw DatabaseFailure(FailureKind::connection, why);
}

/// Without DETAIL and CONTEXT, which may tell values of rows.
DatabaseFailure PostgresConnection::failure_of(const pg_result* result) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* where = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
  const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  std::string text = base::on_one_line(message != nullptr ? message : PQresultErrorMessage(result));
  if (state != nullptr) text += " (SQLSTATE " + std::string(state) + ")";
  // A result without a state is libpq's own: the connection broke.
  return {state != nullptr ? kind_of(state, where != nullptr ? where : "") : FailureKind::connection, text};
}

void PostgresConnection::receive_notice(void* self, const pg_result* result) {
  const char* severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  if (severity != nullptr && std::string_view(severity) == "WARNING")
    static_cast<PostgresConnection*>(self)->warning_ = base::on_one_line(message != nullptr ? message : "a warning");
}

}  // namespace invited::storage
