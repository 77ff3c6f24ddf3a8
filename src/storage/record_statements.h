// The SQL of what is kept beside the aggregates: rates, idempotency records, audit events; and the
// deletion of all that only time made useless. One per connection; used by its thread. Throws StorageFailure.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/uuid.h"
#include "domain/audit_event.h"
#include "domain/store.h"
#include "storage/connection.h"

namespace invited::storage {

class RecordStatements {
 public:
  explicit RecordStatements(Connection& connection);
  ~RecordStatements();

  domain::RateRecord find_rate(std::string_view subject);
  /// `seen`: what it was when it was read; `began`: about when that was. What others counted meanwhile is kept.
  void set_rate(std::string_view subject, const domain::RateRecord& seen, const domain::RateRecord& record,
                base::Timestamp began);
  std::optional<domain::IdempotencyRecord> find_idempotency(const base::Uuid& environment_id, std::string_view key);
  void insert(const domain::IdempotencyRecord& record);
  void insert(const domain::AuditEvent& event);
  std::vector<domain::AuditEvent> list_audit_events(const domain::Page& page);
  std::vector<domain::AuditEvent> list_audit_events_of(const base::Uuid& environment_id, const domain::Page& page);
  void prune(base::Timestamp before);

 private:
  struct Prepared;
  std::unique_ptr<Prepared> prepared_;
};

}  // namespace invited::storage
