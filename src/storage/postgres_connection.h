// A connection to PostgreSQL by libpq, in pipeline mode: statements that nobody waits for are sent without a round trip
// of their own. (Not by SOCI, which cannot do that and hides what the server warns of.) It has the settings that our
// promises rest on: read-write server, deadlines for everything, no waiting for ever. Used by one thread at a time.
//
// A connection that was lost can be opened again: its statements stay valid. An open transaction is gone then.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "storage/connection.h"

struct pg_conn;
struct pg_result;

namespace invited::storage {

/// What the connections of a store tell each other: since when a server that was asked has not answered. Whoever has
/// heard nothing since then connects anew, instead of finding out by itself, which takes seconds each time.
struct ServerSilence {
  std::atomic<std::chrono::steady_clock::time_point> since{};
};

class PostgresConnection final : public Connection {
 public:
  struct Settings {
    std::string url;  ///< as in libpq, postgresql://…; may name several hosts; may hold a password: not for a log
    /// The server ends a statement after this; we give up a connection that is silent for a second longer.
    std::chrono::milliseconds statement_timeout{4'000};
    std::chrono::milliseconds lock_timeout{2'000};
    std::string application_name = "invited";
    std::shared_ptr<ServerSilence> silence = std::make_shared<ServerSilence>();
  };

  /// Connects to a server that takes writes. Throws DatabaseFailure (kind connection) with a message for the operator.
  explicit PostgresConnection(Settings settings);
  ~PostgresConnection() override;

  Dialect dialect() const override { return Dialect::postgresql; }
  std::unique_ptr<PreparedStatement> prepare(const std::string& sql, const Parameters& parameters,
                                             const Columns& columns) override;
  void flush() override;
  void recover() override;
  bool in_transaction() const override;
  std::string_view begin_write_sql() const override { return "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"; }
  std::string_view begin_read_sql() const override { return "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"; }
  void maintain() override {}

  bool is_connected() const { return connection_ != nullptr && heard_at_ > settings_.silence->since.load(); }
  /// Ends the transaction, whatever state it is in. Throws where the connection is lost.
  void rollback();
  /// What the server warned of since the last call. A COMMIT with a warning may not be on the standbys.
  std::optional<std::string> take_warning() { return std::exchange(warning_, std::nullopt); }
  /// The value of the only row and column. Throws where there is none.
  std::string ask(const std::string& sql);
  /// For schema changes, which may take long: no deadlines from here on.
  void set_unhurried(bool unhurried);
  /// The server's clock and how long it took to ask.
  std::pair<base::Timestamp, std::chrono::microseconds> ask_clock();

  // For PostgresStatement.
  struct ResultCloser {
    void operator()(pg_result* result) const;
  };
  using Result = std::unique_ptr<pg_result, ResultCloser>;
  /// Sends it; its result is awaited by the next `await`.
  void send(const std::string& sql, const std::vector<const char*>& values);
  /// Awaits all that was sent: the result of the last. Throws the first failure.
  Result await();

 private:
  struct Sent {
    bool is_prepare = false;
    std::string sql;  ///< of a PREPARE
  };
  struct Closer {
    void operator()(pg_conn* connection) const;
  };

  void connect();
  void set_up_session();
  void transfer(bool until_readable);
  /// Has the server end what it is doing for us. Returns soon, whether or not it can be told.
  void cancel();
  [[noreturn]] void lose(const std::string& what);
  static DatabaseFailure failure_of(const pg_result* result);
  static void receive_notice(void* self, const pg_result* result);

  const Settings settings_;
  std::unique_ptr<pg_conn, Closer> connection_;
  std::map<std::string, std::string, std::less<>> prepared_;  ///< SQL → name
  std::uint64_t next_name_ = 0;
  std::vector<Sent> sent_;
  std::optional<std::string> warning_;
  bool unhurried_ = false;
  int failed_connects_ = 0;
  std::chrono::steady_clock::time_point next_connect_{};
  std::chrono::steady_clock::time_point asked_at_;
  std::chrono::steady_clock::time_point heard_at_;
  std::chrono::steady_clock::time_point deadline_;
};

}  // namespace invited::storage
