// The port through which mail leaves: one mail to one recipient, and what became of it as a value. Implemented by
// smtp_transport and directory_transport. It decides nothing about retries (delivery_worker does). An object belongs to
// one thread, only `interrupt` may be called from another; each worker thread makes its own.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "domain/error.h"
#include "domain/outbox_message.h"
#include "mail/settings.h"

namespace invited::mail {

/// DeliveryResult::stage of an attempt that we broke off ourselves: nobody's fault, charged to nobody.
inline constexpr std::string_view kInterrupted = "interrupted";

struct Envelope {
  std::string from;
  std::string recipient;
  std::string message_id;     ///< domain::message_id_of(): equal for every copy
  base::Timestamp queued_at;  ///< equal for every copy
  /// Asked once or more before the relay has all of the mail, so that it cannot have taken it; may block. False: the
  /// delivery is broken off, with stage kInterrupted.
  std::function<bool()> may_complete{};
};

class Transport {
 public:
  virtual ~Transport() = default;

  /// Hands over one mail and waits for the answer. `bytes`: a whole RFC 5322 message; any line end becomes CRLF. Never
  /// throws. Blocks up to the transport's total time limit.
  virtual domain::DeliveryResult deliver(const Envelope& envelope, const std::string& bytes) = 0;

  /// Ends a connection that was kept for the next mail. `deliver` opens a new one.
  virtual void close() = 0;

  /// From any thread: a `deliver` under way ends soon, with stage kInterrupted, and so does every later one.
  virtual void interrupt() = 0;
};

using TransportFactory = std::function<std::unique_ptr<Transport>()>;

/// Makes transports as `settings` say. `total_timeout`: the longest that one `deliver` may take; must be shorter than
/// the lease of a message.
TransportFactory make_transport_factory(const Settings& settings, std::chrono::milliseconds total_timeout);

/// Tries the way out without sending anything: connects, EHLO, STARTTLS, AUTH, NOOP (or writes and removes a file).
/// Says what works; or (unavailable) what does not, naming the setting and the remedy. Blocks up to a minute.
domain::Result<std::string> check_relay(const Settings& settings);

/// What an operator should do about a result that concerns the configuration or the relay, naming settings.
std::string how_to_mend(const Settings& settings, const domain::DeliveryResult& result);

}  // namespace invited::mail
