// Asked right before a mail is sent: between its claim and now its link may have died. Thread-safe.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"
#include "domain/outbox_message.h"
#include "domain/store.h"

namespace invited::mail {

/// The stage of a mail that is not sent now, but may be later.
inline constexpr std::string_view kNotNow = "not_now";

/// Nothing where the mail is still wanted. Otherwise `rejected` with the stage "cancelled" (it was cancelled, or its
/// link does nothing any more) or "expired"; or `held` with kNotNow, where the link does nothing as long as the
/// environment is disabled, or the inviter may not grant what it is about. One read of its own. The error: the store
/// could not be asked.
domain::Result<std::optional<domain::DeliveryResult>> reason_not_to_send(const domain::OutboxMessage& message,
                                                                         domain::Store& store, base::Timestamp now);

}  // namespace invited::mail
