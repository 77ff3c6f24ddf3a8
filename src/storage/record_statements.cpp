#include "storage/record_statements.h"

#include "storage/row_values.h"

namespace invited::storage {
namespace {

// Rows of each table that one call of prune deletes: some milliseconds of the writer's time.
constexpr Number kPruneLimit = 1'000;

constexpr std::string_view kEventColumns =
    "SELECT at, actor, action, subject_id, detail, environment_id FROM audit_event ";

}  // namespace

struct RecordStatements::Prepared {
  explicit Prepared(Connection& connection_in) : connection(connection_in) {}

  Connection& connection;
  Text subject;
  Number short_term = 0;
  Number long_term = 0;
  Number seen_short = 0;
  Number seen_long = 0;
  Number began = 0;
  Text environment_id, key, request_digest, answer;
  Number created_at = 0;
  Number status = 0;
  Number at = 0;
  Text event_id;
  Text actor, action, subject_id, detail;
  NullableText event_environment_id;
  Number limit = 0;
  Number offset = 0;
  Number before = 0;

  bool is_postgres() const { return connection.dialect() == Dialect::postgresql; }

  Parameters rate_parameters() {
    Parameters parameters{{"subject", subject}, {"short_term", short_term}, {"long_term", long_term}};
    if (is_postgres())
      for (const Parameter& parameter :
           Parameters{{"seen_short", seen_short}, {"seen_long", seen_long}, {"began", began}})
        parameters.push_back(parameter);
    return parameters;
  }
  Parameters event_parameters() {
    Parameters parameters{{"at", at},         {"actor", actor},
                          {"action", action}, {"subject_id", subject_id},
                          {"detail", detail}, {"event_environment_id", event_environment_id}};
    if (is_postgres()) parameters.emplace_back("id", event_id);
    return parameters;
  }

  Statement find_rate{connection,
                      "SELECT short_term, long_term FROM rate WHERE subject = :subject",
                      {{"subject", subject}},
                      {&short_term, &long_term}};
  // Other instances may have counted since it was read: what we counted comes on top of what they did. In SQLite nobody
  // else writes.
  Statement set_rate{
      connection,
      std::string("INSERT INTO rate (subject, short_term, long_term) VALUES (:subject, :short_term, :long_term)"
                  " ON CONFLICT (subject) DO UPDATE SET ") +
          std::string(
              by_dialect(connection, "short_term = excluded.short_term, long_term = excluded.long_term",
                         "short_term = CASE WHEN rate.short_term = :seen_short OR excluded.short_term < :seen_short"
                         " THEN excluded.short_term ELSE GREATEST(rate.short_term, :began) + excluded.short_term"
                         " - GREATEST(:seen_short, :began) END,"
                         " long_term = CASE WHEN rate.long_term = :seen_long OR excluded.long_term < :seen_long"
                         " THEN excluded.long_term ELSE GREATEST(rate.long_term, :began) + excluded.long_term"
                         " - GREATEST(:seen_long, :began) END")),
      rate_parameters()};
  Statement prune_rates{connection,
                        "DELETE FROM rate WHERE subject IN (SELECT subject FROM rate"
                        " WHERE short_term < :before AND long_term < :before LIMIT :limit)",
                        {{"before", before}, {"limit", limit}}};

  Statement find_idempotency{connection,
                             "SELECT request_digest, created_at, status, answer FROM idempotency_record"
                             " WHERE environment_id = :environment_id AND key = :key",
                             {{"environment_id", environment_id}, {"key", key}},
                             {&request_digest, &created_at, &status, &answer}};
  // A key whose record has outlived its time, but was not pruned yet, is used anew.
  Statement insert_idempotency{
      connection,
      "INSERT INTO idempotency_record (environment_id, key, request_digest, created_at, status, answer)"
      " VALUES (:environment_id, :key, :request_digest, :created_at, :status, :answer)"
      " ON CONFLICT (environment_id, key) DO UPDATE SET request_digest = excluded.request_digest,"
      " created_at = excluded.created_at, status = excluded.status, answer = excluded.answer",
      {{"environment_id", environment_id},
       {"key", key},
       {"request_digest", request_digest},
       {"created_at", created_at},
       {"status", status},
       {"answer", answer}}};
  Statement prune_idempotency{connection,
                              "DELETE FROM idempotency_record WHERE (environment_id, key) IN (SELECT environment_id,"
                              " key FROM idempotency_record WHERE created_at < :before LIMIT :limit)",
                              {{"before", before}, {"limit", limit}}};

  Statement prune_sessions{connection,
                           "DELETE FROM session WHERE token_hash IN (SELECT token_hash FROM session"
                           " WHERE expires_at <= :before LIMIT :limit)",
                           {{"before", before}, {"limit", limit}}};

  Statement insert_event{
      connection,
      by_dialect(connection,
                 "INSERT INTO audit_event (at, actor, action, subject_id, detail, environment_id)"
                 " VALUES (:at, :actor, :action, :subject_id, :detail, :event_environment_id)",
                 "INSERT INTO audit_event (id, at, actor, action, subject_id, detail, environment_id)"
                 " VALUES (:id, :at, :actor, :action, :subject_id, :detail, :event_environment_id)"),
      event_parameters()};
  Statement list_events{
      connection,
      std::string(kEventColumns) + "ORDER BY " + row_order(connection) + " DESC LIMIT :limit OFFSET :offset",
      {{"limit", limit}, {"offset", offset}},
      event_columns()};
  ListBy by_environment = list_by(connection, "environment_id", " DESC");
  Statement list_events_of{connection,
                           std::string(kEventColumns) + "WHERE " + by_environment.condition + " ORDER BY " +
                               by_environment.order + " LIMIT :limit OFFSET :offset",
                           {{"environment_id", environment_id}, {"limit", limit}, {"offset", offset}},
                           event_columns()};

  Columns event_columns() { return {&at, &actor, &action, &subject_id, &detail, &event_environment_id}; }
  domain::AuditEvent event() const {
    return {to_time(at), actor, action, to_uuid(subject_id), detail, to_uuid(event_environment_id)};
  }
};

RecordStatements::RecordStatements(Connection& connection) : prepared_(std::make_unique<Prepared>(connection)) {}
RecordStatements::~RecordStatements() = default;

domain::RateRecord RecordStatements::find_rate(std::string_view subject) {
  prepared_->subject = subject;
  if (!prepared_->find_rate.find()) return {};
  return {to_time(prepared_->short_term), to_time(prepared_->long_term)};
}

void RecordStatements::set_rate(std::string_view subject, const domain::RateRecord& seen,
                                const domain::RateRecord& record, base::Timestamp began) {
  prepared_->subject = subject;
  prepared_->seen_short = to_number(seen.short_term);
  prepared_->seen_long = to_number(seen.long_term);
  prepared_->began = to_number(began);
  prepared_->short_term = to_number(record.short_term);
  prepared_->long_term = to_number(record.long_term);
  prepared_->set_rate.execute();
}

std::optional<domain::IdempotencyRecord> RecordStatements::find_idempotency(const base::Uuid& environment_id,
                                                                            std::string_view key) {
  prepared_->environment_id = environment_id.to_string();
  prepared_->key = key;
  if (!prepared_->find_idempotency.find()) return std::nullopt;
  return domain::IdempotencyRecord{environment_id,
                                   std::string(key),
                                   prepared_->request_digest,
                                   to_time(prepared_->created_at),
                                   static_cast<int>(prepared_->status),
                                   prepared_->answer};
}

void RecordStatements::insert(const domain::IdempotencyRecord& record) {
  prepared_->environment_id = record.environment_id.to_string();
  prepared_->key = record.key;
  prepared_->request_digest = record.request_digest;
  prepared_->created_at = to_number(record.created_at);
  prepared_->status = record.status;
  prepared_->answer = record.answer;
  prepared_->insert_idempotency.execute();
}

void RecordStatements::insert(const domain::AuditEvent& event) {
  if (prepared_->is_postgres()) prepared_->event_id = base::Uuid::ordered(event.at).to_string();
  prepared_->at = to_number(event.at);
  prepared_->actor = event.actor;
  prepared_->action = event.action;
  prepared_->subject_id = event.subject_id.to_string();
  prepared_->detail = event.detail;
  set(prepared_->event_environment_id, event.environment_id);
  prepared_->insert_event.execute();
}

std::vector<domain::AuditEvent> RecordStatements::list_audit_events(const domain::Page& page) {
  Prepared& row = *prepared_;
  row.limit = page.limit;
  row.offset = page.offset;
  std::vector<domain::AuditEvent> events;
  row.list_events.each([&] { events.push_back(row.event()); });
  return events;
}

std::vector<domain::AuditEvent> RecordStatements::list_audit_events_of(const base::Uuid& environment_id,
                                                                       const domain::Page& page) {
  Prepared& row = *prepared_;
  row.environment_id = environment_id.to_string();
  row.limit = page.limit;
  row.offset = page.offset;
  std::vector<domain::AuditEvent> events;
  row.list_events_of.each([&] { events.push_back(row.event()); });
  return events;
}

void RecordStatements::prune(base::Timestamp before) {
  prepared_->before = to_number(before);
  prepared_->limit = kPruneLimit;
  prepared_->prune_rates.execute();
  prepared_->prune_idempotency.execute();
  prepared_->prune_sessions.execute();
}

}  // namespace invited::storage
