// Asked right before a mail is sent: between its claim and now its link may have died. Thread-safe.
#pragma once

#include <optional>

#include "base/clock.h"
#include "domain/outbox_message.h"
#include "domain/store.h"

namespace invited::mail {

/// Nothing where the mail is still wanted. Otherwise `rejected` with the stage "cancelled" (it was cancelled, or its
/// link does nothing any more) or "expired". One read of its own. The error: the store could not be asked.
domain::Result<std::optional<domain::DeliveryResult>> reason_not_to_send(const domain::OutboxMessage& message,
                                                                         domain::Store& store, base::Timestamp now);

}  // namespace invited::mail
