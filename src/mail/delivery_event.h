// What webhooks are told of an invitation's mail: that the relay took it, or that it never will. Not for what is
// held, deferred, or was not sent because nobody wants it any more. Belongs to the transaction that records the
// outcome.
#pragma once

#include <optional>

#include "domain/store.h"

namespace invited::mail {

class DeliveryEvent {
 public:
  /// Before the outcome is recorded: whoever changes an invitation and its mails begins with the invitation. Costs a
  /// look at the environment's webhooks, and no more where none wants to know.
  DeliveryEvent(const domain::OutboxMessage& message, const domain::DeliveryResult& result, bool will_be_tried_again,
                domain::Transaction& transaction);

  /// Afterwards, where the outcome counted.
  void queue(domain::Transaction& transaction, base::Timestamp now) const;

 private:
  const base::Uuid message_id_;
  const std::string reason_;
  std::optional<domain::EventType> type_;
  std::optional<domain::Invitation> invitation_;
};

}  // namespace invited::mail
