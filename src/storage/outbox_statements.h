// The SQL of the outbox: messages as they are queued, listed, cancelled, held and released. What becomes of them when
// they are delivered is delivery_statements. One per connection; used by its thread. Throws StorageFailure.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/uuid.h"
#include "domain/outbox_message.h"
#include "domain/store.h"
#include "storage/connection.h"

namespace invited::storage {

class OutboxStatements {
 public:
  explicit OutboxStatements(Connection& connection);
  ~OutboxStatements();

  void insert(const domain::OutboxMessage& message);
  std::optional<domain::OutboxMessage> find_message(const base::Uuid& id);
  std::optional<domain::MessageState> find_message_state(const base::Uuid& id);
  std::vector<domain::OutboxMessage> list_messages(std::optional<domain::MessageState> state, const domain::Page& page);
  std::vector<domain::OutboxMessage> list_messages_of(const base::Uuid& invitation_id);
  std::vector<domain::Attempt> list_attempts(const base::Uuid& message_id);
  std::vector<base::Timestamp> list_mailbox_slots(std::string_view mailbox, base::Timestamp since);
  std::optional<base::Timestamp> last_notice_at(const base::Uuid& environment_id, std::string_view recipient_key);

  void cancel_messages(const base::Uuid& invitation_id, base::Timestamp now);
  bool cancel_message(const base::Uuid& id, base::Timestamp now);
  std::uint64_t set_expiry_of_messages(const base::Uuid& invitation_id, base::Timestamp expires_at,
                                       base::Timestamp now);
  void end_older_links(const base::Uuid& invitation_id, std::uint32_t generation, base::Timestamp now);
  void hurry_messages(const base::Uuid& environment_id, base::Timestamp now);
  std::uint64_t hold_queued_messages(std::string_view reason);
  bool release_message(const base::Uuid& id, base::Timestamp now);
  std::uint64_t count_held_messages();
  /// For a start that knows that whoever claimed a message is dead: its lease ends now, not when it would have by
  /// itself. (The next claim counts the death.) How many there were.
  long long end_all_leases(base::Timestamp now);

 private:
  struct Prepared;

  std::unique_ptr<Prepared> prepared_;
};

}  // namespace invited::storage
