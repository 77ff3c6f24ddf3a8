// What operators read about deliveries.
#include "base/log.h"
#include "mail/delivery_parts.h"
#include "mail/smtp_dialogue.h"

namespace invited::mail {

using domain::DeliveryOutcome;
using domain::DeliveryResult;

void DeliveryWorker::log_outcome(const Finished& finished, const Notes& notes) const {
  const DeliveryResult& result = finished.result;
  const std::string id = finished.lease.message.id.to_string();
  const base::log::Field message("message", id);
  const base::log::Field stage("stage", result.stage);
  const base::log::Field reply("reply", result.reply_code);
  const base::log::Field reason("reason", result.explanation);
  switch (result.outcome) {
    case DeliveryOutcome::sent:
      base::log::info("mail.sent", {message, {"attempt", finished.lease.message.attempts + 1}});
      break;
    case DeliveryOutcome::deferred:
      if (notes.next_attempt) {
        const base::log::Field next("next_attempt", base::to_rfc3339(*notes.next_attempt));
        if (refuses_us(result))
          base::log::warning("mail.deferred",
                             {message, stage, reply, reason, next, {"remedy", how_to_mend(settings_, result)}});
        else
          base::log::warning("mail.deferred", {message, stage, reply, reason, next});
      } else {
        base::log::error("mail.given_up", {message, stage, reply, reason});
      }
      break;
    case DeliveryOutcome::rejected:
      if (finished.met_relay)
        base::log::warning("mail.rejected", {message, stage, reply, reason});
      else
        base::log::info("mail.not_sent", {message, stage, reason});
      break;
    case DeliveryOutcome::held:
      if (finished.met_relay) log_hold(finished, notes);
      break;
    case DeliveryOutcome::poisoned:
      base::log::error("mail.quarantined", {message, stage, reason});
      break;
  }
  if (notes.hold_ended) base::log::info("mail.released", {{"meaning", "the queue is no longer held"}});
  if (notes.lease_was_over) base::log::warning("mail.lease_was_over", {message});
}

/// Given up: its lease ends by itself.
void DeliveryWorker::log_not_recorded(const Finished& finished) {
  const bool has_left = finished.result.outcome == DeliveryOutcome::sent;
  base::log::error("mail.outcome_not_recorded",
                   {{"message", finished.lease.message.id.to_string()},
                    {"outcome", domain::to_string(finished.result.outcome)},
                    {"effect", has_left ? "the message will be tried again; the same mail arrives twice"
                                        : "the message will be tried again when its lease is over"}});
}

void DeliveryWorker::log_hold(const Finished& finished, const Notes& notes) const {
  const DeliveryResult& result = finished.result;
  const std::initializer_list<base::log::Field> fields{{"stage", result.stage},
                                                       {"reply", result.reply_code},
                                                       {"reason", result.explanation},
                                                       {"remedy", how_to_mend(settings_, result)}};
  if (notes.hold_began)
    base::log::error("mail.held", fields);
  else if (finished.is_probe)
    base::log::warning("mail.still_held", fields);
}

}  // namespace invited::mail
