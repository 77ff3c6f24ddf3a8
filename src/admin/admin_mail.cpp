// The nouns mail and audit: what is owed, what was tried, what changed.
#include <array>
#include <span>
#include <utility>

#include "admin/admin_arguments.h"
#include "admin/admin_json.h"
#include "admin/admin_restore.h"

namespace invited::admin {
namespace {

using domain::ErrorCode;
using domain::MessageState;
using domain::refuse;
using domain::Result;
using domain::Transaction;

/// Messages queued again in one transaction of `mail retry --all`: short enough not to hold up callers' commits.
constexpr std::uint32_t kRetryBatch = 200;

domain::Error no_such_message(const base::Uuid& id) {
  return {ErrorCode::not_found, "There is no mail " + id.to_string() + ": see invited mail list.", "message", {}};
}

Result<Json> mail_list(const Arguments& arguments, AdminContext& context) {
  auto state_name = arguments.text_or_empty("state");
  auto page = arguments.page();
  if (!state_name) return error_of(state_name);
  if (!page) return error_of(page);
  std::optional<MessageState> state;
  if (!state_name->empty()) {
    state = domain::parse_message_state(*state_name);
    if (!state)
      return refuse(ErrorCode::invalid_parameter,
                    "\"" + *state_name + "\" is no state: queued, sent, failed, quarantined, cancelled.", "state");
  }
  return domain::read_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    const auto hold = transaction.find_mail_hold();
    Json list = Json::array();
    for (const domain::OutboxMessage& message : transaction.list_messages(state, *page))
      list.push_back(to_json(message, hold));
    return list;
  });
}

Result<Json> mail_show(const Arguments& arguments, AdminContext& context) {
  const auto id = arguments.uuid("message");
  if (!id) return error_of(id);
  return domain::read_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    const auto message = transaction.find_message(*id);
    if (!message) return std::unexpected(no_such_message(*id));
    Json json = to_json(*message, transaction.find_mail_hold());
    Json attempts = Json::array();
    for (const domain::Attempt& attempt : transaction.list_attempts(*id)) attempts.push_back(to_json(attempt));
    json["attempts"] = std::move(attempts);
    return json;
  });
}

/// The queue's hold as an object, or null: for the notice above `mail list`, and for `check`.
Result<Json> mail_hold(const Arguments&, AdminContext& context) {
  return domain::read_returning(context.store, [](Transaction& transaction) -> Result<Json> {
    const auto hold = transaction.find_mail_hold();
    return hold ? to_json(*hold) : Json(nullptr);
  });
}

void audit_retry(const domain::OutboxMessage& message, Transaction& transaction, base::Timestamp now) {
  transaction.insert(domain::AuditEvent{now, "operator", "mail.retried", message.id, {}, message.environment_id});
}

std::string way_to_a_fresh_one(const domain::OutboxMessage& message) {
  return message.kind == domain::MessageKind::password_reset ? "the person asks for a fresh one on the sign-in page."
                                                             : "send a fresh one with invited invitation resend.";
}

std::string why_not_retried(const domain::OutboxMessage& message) {
  if (domain::is_held(message)) return "The mail is held after a restore: let it go with invited mail release.";
  if (message.state == MessageState::queued) return "The mail is queued, and its turn comes by itself.";
  return "The mail is " + std::string(domain::to_string(message.state)) +
         ": only one that failed, is in quarantine, or waits for its next try can be tried again.";
}

Result<Json> retry_one(const base::Uuid& id, AdminContext& context) {
  return domain::write_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    const base::Timestamp now = context.clock.now();
    const auto message = transaction.find_message(id);
    if (!message) return std::unexpected(no_such_message(id));
    if (message->state != MessageState::queued && message->expires_at <= now)
      return refuse(ErrorCode::invalid_parameter, "The link in this mail has expired: " + way_to_a_fresh_one(*message),
                    "message");
    if (!transaction.retry_message(id, now))
      return refuse(ErrorCode::invalid_parameter, why_not_retried(*message), "message");
    audit_retry(*message, transaction, now);
    return to_json(*transaction.find_message(id), transaction.find_mail_hold());
  });
}

struct RetriedBatch {
  std::uint32_t listed = 0;
  std::uint32_t retried = 0;
};

/// Up to kRetryBatch messages in `state`, from `offset` on. One whose link is dead by now is left alone. Of queued
/// ones, which are listed by when they are due, those that wait.
Result<RetriedBatch> retry_batch(MessageState state, std::uint32_t offset, AdminContext& context) {
  return domain::write_returning(context.store, [&](Transaction& transaction) -> Result<RetriedBatch> {
    const base::Timestamp now = context.clock.now();
    RetriedBatch batch;
    for (const auto& message : transaction.list_messages(state, {.limit = kRetryBatch, .offset = offset})) {
      if (state == MessageState::queued && message.due_at <= now) break;
      ++batch.listed;
      if (message.expires_at <= now || !transaction.retry_message(message.id, now)) continue;
      audit_retry(message, transaction, now);
      ++batch.retried;
    }
    return batch;
  });
}

Result<Json> retry_all(AdminContext& context) {
  // Whoever asks for this has mended the cause: the hold must not keep the queue waiting for its next try.
  const auto lifted = domain::write_returning(context.store, [&](Transaction& transaction) -> Result<bool> {
    const bool held = transaction.find_mail_hold().has_value();
    transaction.set_mail_hold(std::nullopt);
    if (held) transaction.insert(domain::AuditEvent{context.clock.now(), "operator", "mail.hold_lifted", {}, {}});
    return held;
  });
  if (!lifted) return error_of(lifted);
  std::uint64_t total = 0;
  for (const MessageState state : {MessageState::failed, MessageState::quarantined, MessageState::queued}) {
    // What was queued again has left the listing; what was left alone is stepped over.
    std::uint32_t offset = 0;
    for (;;) {
      const auto batch = retry_batch(state, offset, context);
      if (!batch) return error_of(batch);
      total += batch->retried;
      offset += batch->listed - batch->retried;
      if (batch->listed < kRetryBatch) break;
    }
  }
  return Json{{"retried", total}, {"hold_lifted", *lifted}};
}

Result<Json> mail_retry(const Arguments& arguments, AdminContext& context) {
  const auto id = arguments.optional_uuid("message");
  if (!id) return error_of(id);
  if (arguments.flag("all") == id->has_value())
    return refuse(ErrorCode::missing_parameter, "Name one mail by its UUID, or say --all.", "message");
  auto done = id->has_value() ? retry_one(**id, context) : retry_all(context);
  if (done) context.mail_queued();
  return done;
}

Result<Json> audit_list(const Arguments& arguments, AdminContext& context) {
  auto page = arguments.page();
  if (!page) return error_of(page);
  return domain::read_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    Json list = Json::array();
    for (const domain::AuditEvent& event : transaction.list_audit_events(*page)) list.push_back(to_json(event));
    return list;
  });
}

constexpr std::array kCommands{
    Command{"mail list", "state limit offset", mail_list},
    Command{"mail show", "message", mail_show},
    Command{"mail hold", "", mail_hold},
    Command{"mail retry", "message all", mail_retry},
    Command{"mail held", "", mail_held},
    Command{"mail release", "message all", mail_release},
    Command{"mail cancel", "message held", mail_cancel},
    Command{"audit list", "limit offset", audit_list},
};

}  // namespace

std::span<const Command> mail_commands() { return kCommands; }

}  // namespace invited::admin
