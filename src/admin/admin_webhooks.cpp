// The noun webhook: who is told what happens, each delivery and what was tried, signing secrets, replay.
#include <array>
#include <span>
#include <utility>

#include "admin/admin_arguments.h"
#include "admin/admin_json.h"
#include "domain/manage_webhooks.h"

namespace invited::admin {
namespace {

using domain::CallKind;
using domain::CallState;
using domain::ErrorCode;
using domain::refuse;
using domain::Result;
using domain::Transaction;
using domain::Webhook;
using domain::WebhookDelivery;

/// Deliveries queued again in one transaction of `webhook replay --all`: short enough not to hold up callers' commits.
constexpr std::uint32_t kReplayBatch = 200;

Json shown(const Webhook& webhook, Transaction& transaction) {
  Json json = to_json(webhook);
  const auto environment = transaction.find_environment(webhook.environment_id);
  json["environment_name"] = environment ? Json(environment->name) : Json(nullptr);
  return json;
}

/// With what its receiver checks signatures.
Json with_secret(const Webhook& webhook, const AdminContext& context) {
  Json json = to_json(webhook);
  json["secret"] = domain::shown_secret(domain::webhook_secret(context.pepper, webhook.id, webhook.secret_version));
  return json;
}

Result<Json> webhook_add(const Arguments& arguments, AdminContext& context) {
  auto environment_name = arguments.text("environment");
  auto url = arguments.text("url");
  auto events = arguments.optional_texts("event");
  if (!environment_name) return error_of(environment_name);
  if (!url) return error_of(url);
  if (!events) return error_of(events);
  return domain::write_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    const auto environment = find_environment(*environment_name, transaction);
    if (!environment) return error_of(environment);
    const auto added = domain::add_webhook(environment->id, *url, events->value_or(std::vector<std::string>()),
                                           context.webhook_allow_private, transaction, context.clock.now());
    if (!added) return error_of(added);
    return with_secret(*added, context);
  });
}

Result<Json> webhook_list(const Arguments& arguments, AdminContext& context) {
  auto environment_name = arguments.text_or_empty("environment");
  if (!environment_name) return error_of(environment_name);
  return domain::read_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    std::vector<Webhook> webhooks;
    if (environment_name->empty()) {
      webhooks = transaction.list_all_webhooks();
    } else {
      const auto environment = find_environment(*environment_name, transaction);
      if (!environment) return error_of(environment);
      webhooks = transaction.list_webhooks(environment->id);
    }
    Json list = Json::array();
    for (const Webhook& webhook : webhooks) list.push_back(shown(webhook, transaction));
    return list;
  });
}

/// One webhook by its UUID, changed by `change(id, transaction, now)`.
template <class Change>
Result<Webhook> change_webhook(const Arguments& arguments, AdminContext& context, Change change) {
  const auto id = arguments.uuid("webhook");
  if (!id) return error_of(id);
  return domain::write_returning(context.store, [&](Transaction& transaction) -> Result<Webhook> {
    return change(*id, transaction, context.clock.now());
  });
}

Result<Json> webhook_remove(const Arguments& arguments, AdminContext& context) {
  const auto done = change_webhook(arguments, context, domain::remove_webhook);
  if (!done) return error_of(done);
  return to_json(*done);
}

Result<Json> set_disabled(const Arguments& arguments, AdminContext& context, bool disabled) {
  const auto done =
      change_webhook(arguments, context, [&](const base::Uuid& id, Transaction& transaction, base::Timestamp now) {
        return domain::set_webhook_disabled(id, disabled, transaction, now);
      });
  if (!done) return error_of(done);
  return to_json(*done);
}

Result<Json> webhook_disable(const Arguments& arguments, AdminContext& context) {
  return set_disabled(arguments, context, /*disabled=*/true);
}

Result<Json> webhook_enable(const Arguments& arguments, AdminContext& context) {
  return set_disabled(arguments, context, /*disabled=*/false);
}

Result<Json> webhook_rotate_secret(const Arguments& arguments, AdminContext& context) {
  const bool force = arguments.flag("force");
  const auto done =
      change_webhook(arguments, context, [&](const base::Uuid& id, Transaction& transaction, base::Timestamp now) {
        return domain::rotate_webhook_secret(id, force, transaction, now);
      });
  if (!done) return error_of(done);
  return with_secret(*done, context);
}

Result<Json> webhook_show_secret(const Arguments& arguments, AdminContext& context) {
  const auto id = arguments.uuid("webhook");
  if (!id) return error_of(id);
  return domain::read_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    const auto webhook = domain::find_webhook(*id, transaction);
    if (!webhook) return error_of(webhook);
    return with_secret(*webhook, context);
  });
}

/// "webhook" and "state".
Result<domain::DeliveryFilter> filter_of(const Arguments& arguments) {
  domain::DeliveryFilter filter;
  const auto webhook = arguments.optional_uuid("webhook");
  auto state = arguments.text_or_empty("state");
  if (!webhook) return error_of(webhook);
  if (!state) return error_of(state);
  filter.webhook_id = *webhook;
  if (state->empty()) return filter;
  filter.state = domain::parse_call_state(*state);
  if (!filter.state)
    return refuse(ErrorCode::invalid_parameter, "\"" + *state + "\" is no state: queued, done, failed, cancelled.",
                  "state");
  return filter;
}

Result<Json> webhook_deliveries(const Arguments& arguments, AdminContext& context) {
  const auto filter = filter_of(arguments);
  auto page = arguments.page();
  if (!filter) return error_of(filter);
  if (!page) return error_of(page);
  return domain::read_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    Json list = Json::array();
    for (const WebhookDelivery& delivery : transaction.list_webhook_deliveries(*filter, *page))
      list.push_back(to_json(delivery));
    return list;
  });
}

Result<Json> webhook_show(const Arguments& arguments, AdminContext& context) {
  const auto id = arguments.uuid("delivery");
  if (!id) return error_of(id);
  return domain::read_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    const auto delivery = domain::find_delivery(*id, transaction);
    if (!delivery) return error_of(delivery);
    Json json = to_json(*delivery);
    json["payload"] = delivery->payload;
    Json attempts = Json::array();
    for (const domain::CallAttempt& attempt : transaction.list_call_attempts(CallKind::webhook, *id))
      attempts.push_back(to_json(attempt));
    json["attempts"] = std::move(attempts);
    return json;
  });
}

Result<Json> replay_one(const base::Uuid& id, AdminContext& context) {
  return domain::write_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    const auto replayed = domain::replay_delivery(id, transaction, context.clock.now());
    if (!replayed) return error_of(replayed);
    return to_json(*replayed);
  });
}

/// Failed ones, unless another state is named. What cannot be replayed is left alone.
Result<Json> replay_all(domain::DeliveryFilter filter, AdminContext& context) {
  if (!filter.state) filter.state = CallState::failed;
  if (*filter.state == CallState::queued)
    return refuse(ErrorCode::invalid_parameter,
                  "What is queued is made by itself; one of them is made now by its UUID.", "state");
  std::uint64_t total = 0;
  // What was queued again has left the listing; what was left alone is stepped over.
  std::uint32_t offset = 0;
  for (;;) {
    struct Batch {
      std::uint32_t listed = 0;
      std::uint32_t replayed = 0;
    };
    const auto batch = domain::write_returning(context.store, [&](Transaction& transaction) -> Result<Batch> {
      Batch done;
      for (const auto& delivery :
           transaction.list_webhook_deliveries(filter, {.limit = kReplayBatch, .offset = offset})) {
        ++done.listed;
        if (domain::replay_delivery(delivery.id, transaction, context.clock.now())) ++done.replayed;
      }
      return done;
    });
    if (!batch) return error_of(batch);
    total += batch->replayed;
    offset += batch->listed - batch->replayed;
    if (batch->listed < kReplayBatch) break;
  }
  return Json{{"replayed", total}};
}

Result<Json> webhook_replay(const Arguments& arguments, AdminContext& context) {
  const auto id = arguments.optional_uuid("delivery");
  const auto filter = filter_of(arguments);
  if (!id) return error_of(id);
  if (!filter) return error_of(filter);
  if (arguments.flag("all") == id->has_value())
    return refuse(ErrorCode::missing_parameter, "Name one delivery by its UUID, or say --all.", "delivery");
  auto done = id->has_value() ? replay_one(**id, context) : replay_all(*filter, context);
  if (done) context.webhooks_replayed();
  return done;
}

constexpr std::array kCommands{
    Command{"webhook add", "environment url event", webhook_add},
    Command{"webhook list", "environment", webhook_list},
    Command{"webhook remove", "webhook", webhook_remove},
    Command{"webhook disable", "webhook", webhook_disable},
    Command{"webhook enable", "webhook", webhook_enable},
    Command{"webhook rotate-secret", "webhook force", webhook_rotate_secret},
    Command{"webhook show-secret", "webhook", webhook_show_secret},
    Command{"webhook deliveries", "webhook state limit offset", webhook_deliveries},
    Command{"webhook show", "delivery", webhook_show},
    Command{"webhook replay", "delivery all webhook state", webhook_replay},
};

}  // namespace

std::span<const Command> webhook_commands() { return kCommands; }

}  // namespace invited::admin
