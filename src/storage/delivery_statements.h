// The SQL of delivering what the outbox holds: claims and their leases, attempts and outcomes, the hold on the queue.
// What makes a message change its state is here, in claim_due_messages, finish_attempt and retry_message, and, where
// operators and callers do it, in outbox_statements: nowhere else. One per connection; used by its thread. Throws
// StorageFailure.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/uuid.h"
#include "domain/outbox_message.h"
#include "domain/store.h"
#include "storage/connection.h"

namespace invited::storage {

class DeliveryStatements {
 public:
  explicit DeliveryStatements(Connection& connection);
  ~DeliveryStatements();

  /// A transaction that writes begins: nobody has claimed anything in it.
  void begin_transaction();
  std::vector<domain::Lease> claim_due_messages(std::uint32_t limit, base::Timestamp now, base::Timestamp lease_until);
  bool finish_attempt(const domain::Lease& lease, const domain::DeliveryResult& result,
                      std::optional<base::Timestamp> next_attempt, base::Timestamp now);
  bool retry_message(const base::Uuid& id, base::Timestamp now);

  std::optional<domain::MailHold> find_mail_hold();
  void set_mail_hold(const std::optional<domain::MailHold>& hold);

 private:
  struct Prepared;

  /// What claim_due_messages looks at: due, and not under a lease that still runs. Oldest first, but what an earlier
  /// claim of the same transaction has passed by only where nothing else is due.
  std::vector<domain::Lease> find_due(std::uint32_t limit, base::Timestamp now);
  /// The mail of the environment whose turn it is, where that can still be claimed.
  std::vector<domain::Lease> find_in_turn(base::Timestamp now);
  void walk_on(base::Timestamp now);

  std::unique_ptr<Prepared> prepared_;
};

}  // namespace invited::storage
