// The noun refresh: the calls that tell apps of changed roles, and what was tried.
#include <array>
#include <span>
#include <utility>

#include "admin/admin_arguments.h"
#include "admin/admin_json.h"

namespace invited::admin {
namespace {

using domain::CallState;
using domain::ErrorCode;
using domain::refuse;
using domain::Result;
using domain::Transaction;

/// Calls queued again in one transaction of `refresh retry --all`: short enough not to hold up callers' commits.
constexpr std::uint32_t kRetryBatch = 200;

domain::Error no_such_call(const base::Uuid& id) {
  return {ErrorCode::not_found, "There is no call " + id.to_string() + ": see invited refresh list.", "refresh", {}};
}

Result<Json> refresh_list(const Arguments& arguments, AdminContext& context) {
  auto state_name = arguments.text_or_empty("state");
  auto page = arguments.page();
  if (!state_name) return error_of(state_name);
  if (!page) return error_of(page);
  std::optional<CallState> state;
  if (!state_name->empty()) {
    state = domain::parse_call_state(*state_name);
    if (!state)
      return refuse(ErrorCode::invalid_parameter,
                    "\"" + *state_name + "\" is no state: queued, done, failed, cancelled.", "state");
  }
  return domain::read_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    Json list = Json::array();
    const domain::RelatedRows related(transaction);
    for (const domain::RefreshCall& call : transaction.list_refresh_calls(state, *page))
      list.push_back(to_json(call, related));
    return list;
  });
}

Result<Json> refresh_show(const Arguments& arguments, AdminContext& context) {
  const auto id = arguments.uuid("refresh");
  if (!id) return error_of(id);
  return domain::read_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    const auto call = transaction.find_refresh_call(*id);
    if (!call) return std::unexpected(no_such_call(*id));
    Json json = to_json(*call, domain::RelatedRows(transaction));
    Json attempts = Json::array();
    for (const domain::CallAttempt& attempt : transaction.list_call_attempts(domain::CallKind::refresh, *id))
      attempts.push_back(to_json(attempt));
    json["attempts"] = std::move(attempts);
    return json;
  });
}

void audit_retry(const domain::RefreshCall& call, Transaction& transaction, base::Timestamp now) {
  transaction.insert(domain::AuditEvent{now, "operator", "refresh.retried", call.id, {}, call.environment_id});
}

Result<Json> retry_one(const base::Uuid& id, AdminContext& context) {
  return domain::write_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    const base::Timestamp now = context.clock.now();
    const auto call = transaction.find_refresh_call(id);
    if (!call) return std::unexpected(no_such_call(id));
    const auto environment = transaction.find_environment(call->environment_id);
    if (call->state == CallState::cancelled && environment && environment->refresh_url.empty())
      return refuse(ErrorCode::invalid_parameter,
                    "The environment has no refresh URL: give it one with invited environment set --refresh-url.",
                    "refresh");
    if (!transaction.retry_call(domain::CallKind::refresh, id, now))
      return refuse(ErrorCode::invalid_parameter,
                    call->state == CallState::queued
                        ? "The call is being made at this moment: see invited refresh show."
                        : "The call is done: the app asks for itself whenever it wants.",
                    "refresh");
    audit_retry(*call, transaction, now);
    return to_json(*transaction.find_refresh_call(id), domain::RelatedRows(transaction));
  });
}

struct RetriedBatch {
  std::uint32_t listed = 0;
  std::uint32_t retried = 0;
};

Result<RetriedBatch> retry_batch(std::uint32_t offset, AdminContext& context) {
  return domain::write_returning(context.store, [&](Transaction& transaction) -> Result<RetriedBatch> {
    const base::Timestamp now = context.clock.now();
    RetriedBatch batch;
    for (const auto& call :
         transaction.list_refresh_calls(CallState::failed, {.limit = kRetryBatch, .offset = offset})) {
      ++batch.listed;
      if (!transaction.retry_call(domain::CallKind::refresh, call.id, now)) continue;
      audit_retry(call, transaction, now);
      ++batch.retried;
    }
    return batch;
  });
}

/// Failed ones only: a cancelled one has nowhere to go.
Result<Json> retry_all(AdminContext& context) {
  std::uint64_t total = 0;
  // What was queued again has left the listing; what was left alone is stepped over.
  std::uint32_t offset = 0;
  for (;;) {
    const auto batch = retry_batch(offset, context);
    if (!batch) return error_of(batch);
    total += batch->retried;
    offset += batch->listed - batch->retried;
    if (batch->listed < kRetryBatch) break;
  }
  return Json{{"retried", total}};
}

Result<Json> refresh_retry(const Arguments& arguments, AdminContext& context) {
  const auto id = arguments.optional_uuid("refresh");
  if (!id) return error_of(id);
  if (arguments.flag("all") == id->has_value())
    return refuse(ErrorCode::missing_parameter, "Name one call by its UUID, or say --all.", "refresh");
  auto done = id->has_value() ? retry_one(**id, context) : retry_all(context);
  if (done) context.refresh_retried();
  return done;
}

constexpr std::array kCommands{
    Command{"refresh list", "state limit offset", refresh_list},
    Command{"refresh show", "refresh", refresh_show},
    Command{"refresh retry", "refresh all", refresh_retry},
};

}  // namespace

std::span<const Command> refresh_commands() { return kCommands; }

}  // namespace invited::admin
