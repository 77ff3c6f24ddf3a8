#include "storage/webhook_statements.h"

#include <chrono>
#include <map>
#include <string>

#include "storage/invitation_row.h"
#include "storage/webhook_rows.h"

namespace invited::storage {
namespace {

using domain::CallState;

/// Behind every id: all invitations of that moment have been told of.
constexpr std::string_view kLastId = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/// Clocks of several instances, and one that is being corrected, may differ by that.
constexpr std::chrono::minutes kAheadAtMost{1};

}  // namespace

struct WebhookStatements::Prepared {
  explicit Prepared(Connection& connection_in) : connection(connection_in) {}

  Connection& connection;
  WebhookRow row;
  DeliveryRow delivery;
  InvitationRow invitation;
  Number limit = 0;
  Number offset = 0;
  Number now = 0;
  Number told_until = 0;
  Text told_id;

  const std::string lock = lock_clause(connection);

  Statement insert{
      connection,
      "INSERT INTO webhook (id, environment_id, url, events, disabled, disabled_reason, secret_version,"
      " old_secret_until, created_at) VALUES (:id, :environment_id, :url, :events, :disabled, :disabled_reason,"
      " :secret_version, :old_secret_until, :created_at)",
      row.all()};
  Statement update{connection,
                   "UPDATE webhook SET url = :url, events = :events, disabled = :disabled,"
                   " disabled_reason = :disabled_reason, secret_version = :secret_version,"
                   " old_secret_until = :old_secret_until WHERE id = :id",
                   row.changes()};
  Statement erase{connection, "DELETE FROM webhook WHERE id = :id", {{"id", row.id}}};
  Statement find{connection, std::string(kWebhookColumns) + "WHERE id = :id", {{"id", row.id}}, row.columns()};
  Statement list{connection,
                 std::string(kWebhookColumns) + "WHERE environment_id = :environment_id ORDER BY seq",
                 {{"environment_id", row.environment_id}},
                 row.columns()};
  Statement list_all{connection, std::string(kWebhookColumns) + "ORDER BY seq", {}, row.columns()};

  Statement insert_delivery{
      connection,
      "INSERT INTO webhook_delivery (id, webhook_id, environment_id, event, payload, state, queued_at, due_at, "
      "attempts,"
      " claims, finished_at, last_error) VALUES (:id, :webhook_id, :environment_id, :event, :payload, :state,"
      " :queued_at, :due_at, :attempts, 0, :finished_at, :last_error)",
      delivery.all()};
  Statement find_delivery{
      connection, std::string(kDeliveryColumns) + "WHERE id = :id", {{"id", delivery.id}}, delivery.columns()};

  // What is under lease is being made: its outcome is still recorded.
  Statement cancel_deliveries{
      connection,
      "UPDATE webhook_delivery SET state = 'cancelled', finished_at = :now, last_error = :last_error, lease_id = NULL,"
      " lease_until = NULL WHERE state = 'queued' AND webhook_id = :webhook_id"
      " AND (lease_until IS NULL OR lease_until <= :now)",
      {{"webhook_id", delivery.webhook_id}, {"last_error", delivery.last_error}, {"now", now}}};

  /// One for each combination: the words of states are in the text, so that the partial indexes serve.
  std::map<std::string, Statement> lists;

  Statement& list_of(const domain::DeliveryFilter& filter) {
    std::string condition;
    std::string order = row_order(connection) + " DESC";
    if (filter.state) condition += " AND state = '" + std::string(domain::to_string(*filter.state)) + "'";
    // Few among many: SQLite is not to find those in trouble, or queued, by walking all others.
    const bool is_rare = filter.state && *filter.state != CallState::done;
    if (filter.webhook_id) {
      const ListBy by_webhook = list_by(connection, "webhook_id", " DESC");
      condition += " AND " + by_webhook.condition;
      order = by_webhook.order;
    }
    if (is_rare && connection.dialect() == Dialect::sqlite) order.insert(0, "+");
    if (!condition.empty()) condition.replace(0, 4, "WHERE");
    const auto known = lists.find(condition);
    if (known != lists.end()) return known->second;
    Parameters parameters{{"limit", limit}, {"offset", offset}};
    if (filter.webhook_id) parameters.emplace_back("webhook_id", delivery.webhook_id);
    return lists
        .try_emplace(condition, connection,
                     std::string(kDeliveryColumns) + condition + " ORDER BY " + order + " LIMIT :limit OFFSET :offset",
                     std::move(parameters), delivery.columns())
        .first->second;
  }

  // Instances tell of expired invitations one after the other.
  Statement find_watermark{connection,
                           "SELECT expires_at, invitation_id FROM expiry_watermark WHERE singleton = 1" + lock,
                           {},
                           {&told_until, &told_id}};
  Statement begin_watermark{connection,
                            "INSERT INTO expiry_watermark (singleton, expires_at, invitation_id)"
                            " VALUES (1, :told_until, :told_id) ON CONFLICT (singleton) DO NOTHING",
                            {{"told_until", told_until}, {"told_id", told_id}}};
  Statement set_watermark{
      connection,
      "UPDATE expiry_watermark SET expires_at = :told_until, invitation_id = :told_id WHERE singleton = 1",
      {{"told_until", told_until}, {"told_id", told_id}}};
  // Locked: whoever is accepting one of them at this moment comes first, and then it is not pending any more.
  Statement find_expired{connection,
                         std::string(kInvitationColumns) +
                             "WHERE state = 'pending' AND expires_at >= :told_until AND expires_at <= :now"
                             " AND (expires_at > :told_until OR id > :told_id) ORDER BY expires_at, id LIMIT :limit" +
                             lock,
                         {{"told_until", told_until}, {"told_id", told_id}, {"now", now}, {"limit", limit}},
                         invitation.columns()};
};

WebhookStatements::WebhookStatements(Connection& connection) : prepared_(std::make_unique<Prepared>(connection)) {}
WebhookStatements::~WebhookStatements() = default;

void WebhookStatements::insert(const domain::Webhook& webhook) {
  prepared_->row.set(webhook);
  prepared_->insert.execute();
}

void WebhookStatements::update(const domain::Webhook& webhook) {
  prepared_->row.set(webhook);
  prepared_->update.execute();
}

bool WebhookStatements::erase_webhook(const base::Uuid& id) {
  prepared_->row.id = id.to_string();
  return prepared_->erase.run() > 0;
}

std::optional<domain::Webhook> WebhookStatements::find_webhook(const base::Uuid& id) {
  prepared_->row.id = id.to_string();
  if (!prepared_->find.find()) return std::nullopt;
  return prepared_->row.get();
}

std::vector<domain::Webhook> WebhookStatements::list_webhooks(const base::Uuid& environment_id) {
  std::vector<domain::Webhook> webhooks;
  prepared_->row.environment_id = environment_id.to_string();
  prepared_->list.each([&] { webhooks.push_back(prepared_->row.get()); });
  return webhooks;
}

std::vector<domain::Webhook> WebhookStatements::list_all_webhooks() {
  std::vector<domain::Webhook> webhooks;
  prepared_->list_all.each([&] { webhooks.push_back(prepared_->row.get()); });
  return webhooks;
}

void WebhookStatements::insert(const domain::WebhookDelivery& delivery) {
  prepared_->delivery.set(delivery);
  prepared_->insert_delivery.execute();
}

std::uint64_t WebhookStatements::cancel_deliveries(const base::Uuid& webhook_id, std::string_view reason,
                                                   base::Timestamp now) {
  prepared_->delivery.webhook_id = webhook_id.to_string();
  prepared_->delivery.last_error = reason;
  prepared_->now = to_number(now);
  return static_cast<std::uint64_t>(prepared_->cancel_deliveries.run());
}

std::optional<domain::WebhookDelivery> WebhookStatements::find_webhook_delivery(const base::Uuid& id) {
  prepared_->delivery.id = id.to_string();
  if (!prepared_->find_delivery.find()) return std::nullopt;
  return prepared_->delivery.get();
}

std::vector<domain::WebhookDelivery> WebhookStatements::list_webhook_deliveries(const domain::DeliveryFilter& filter,
                                                                                const domain::Page& page) {
  std::vector<domain::WebhookDelivery> deliveries;
  prepared_->limit = page.limit;
  prepared_->offset = page.offset;
  Statement& list = prepared_->list_of(filter);
  if (filter.webhook_id) prepared_->delivery.webhook_id = filter.webhook_id->to_string();
  list.each([&] { deliveries.push_back(prepared_->delivery.get()); });
  return deliveries;
}

void WebhookStatements::watch_expiry(base::Timestamp now) {
  prepared_->told_until = to_number(now);
  prepared_->told_id = kLastId;
  prepared_->begin_watermark.execute();
}

std::vector<domain::Invitation> WebhookStatements::take_expired_invitations(base::Timestamp now, std::uint32_t limit) {
  Prepared& prepared = *prepared_;
  std::vector<domain::Invitation> expired;
  if (!prepared.find_watermark.find()) return expired;
  prepared.now = to_number(now);
  if (prepared.told_until > to_number(now + kAheadAtMost)) {
    // Told by a clock that was ahead: until time comes there, whatever expires would be passed over.
    prepared.told_until = prepared.now;
    prepared.told_id = kLastId;
    prepared.set_watermark.execute();
  }
  prepared.limit = limit;
  prepared.find_expired.each([&] { expired.push_back(prepared.invitation.get()); });
  if (expired.empty()) return expired;
  prepared.told_until = to_number(expired.back().expires_at);
  prepared.told_id = expired.back().id.to_string();
  prepared.set_watermark.execute();
  return expired;
}

}  // namespace invited::storage
