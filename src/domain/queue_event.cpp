#include "domain/queue_event.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace invited::domain {
namespace {

/// A JSON string. What is stored is valid UTF-8 already, so only JSON's own characters need care.
std::string quoted(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string json = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      json += '\\';
      json += c;
    } else if (byte < 0x20) {
      json += "\\u00";
      json += kHex[byte >> 4];
      json += kHex[byte & 15];
    } else {
      json += c;
    }
  }
  return json + '"';
}

/// A JSON object, member by member.
class ObjectText {
 public:
  ObjectText& add(std::string_view name, std::string_view text) { return add_json(name, quoted(text)); }
  ObjectText& add_json(std::string_view name, std::string_view json) {
    text_ += (text_.empty() ? "{" : ",") + quoted(name) + ':';
    text_ += json;
    return *this;
  }
  std::string text() const { return text_ + '}'; }

 private:
  std::string text_;
};

std::string roles_json(const std::vector<Role>& roles) {
  std::string json;
  for (const Role& role : roles) {
    json += json.empty() ? '[' : ',';
    json += ObjectText().add("role_uuid", role.id.to_string()).add("name", role.name).text();
  }
  return json.empty() ? "[]" : json + ']';
}

std::string payload_of(EventType type, const ObjectText& data, base::Timestamp now) {
  return ObjectText()
      .add("type", to_string(type))
      .add("timestamp", base::to_rfc3339(now))
      .add_json("data", data.text())
      .text();
}

std::vector<Role> roles_of(const Invitation& invitation, const Environment& environment, Transaction& transaction) {
  std::vector<Role> roles;
  for (const base::Uuid& id : invitation.role_ids())
    if (auto role = transaction.find_role(environment.app_id, id)) roles.push_back(*std::move(role));
  return roles;
}

std::string invitation_payload(EventType type, const Invitation& invitation, Transaction& transaction,
                               base::Timestamp now, std::string_view reason) {
  const auto environment = transaction.find_environment(invitation.environment_id);
  const auto inviter = transaction.find_account(invitation.inviter_id);
  if (!environment) throw StorageFailure("an invitation without its environment");
  ObjectText data;
  data.add("invitation_uuid", invitation.id.to_string())
      .add("environment_uuid", environment->id.to_string())
      .add("environment_name", environment->name)
      .add("email", invitation.invitee.text())
      .add_json("roles", roles_json(roles_of(invitation, *environment, transaction)));
  if (inviter) data.add("inviter_email", inviter->email.text());
  data.add("state", to_string(invitation.state_at(now)))
      .add_json("generation", std::to_string(invitation.generation))
      .add("created_at", base::to_rfc3339(invitation.created_at))
      .add("expires_at", base::to_rfc3339(invitation.expires_at));
  if (!invitation.metadata.empty()) data.add_json("metadata", invitation.metadata);
  if (!reason.empty()) data.add("reason", reason);
  return payload_of(type, data, now);
}

/// `make_payload()` is called only where somebody wants it.
template <class MakePayload>
void queue(EventType type, const base::Uuid& environment_id, Transaction& transaction, base::Timestamp now,
           MakePayload make_payload) {
  std::string payload;
  for (const Webhook& webhook : transaction.list_webhooks(environment_id)) {
    if (!webhook.wants(type)) continue;
    if (payload.empty()) payload = make_payload();
    WebhookDelivery delivery;
    delivery.id = base::Uuid::ordered(now);
    delivery.webhook_id = webhook.id;
    delivery.environment_id = environment_id;
    delivery.event = type;
    delivery.payload = payload;
    delivery.queued_at = now;
    delivery.due_at = now;
    transaction.insert(delivery);
  }
}

}  // namespace

void queue_invitation_event(EventType type, const Invitation& invitation, Transaction& transaction, base::Timestamp now,
                            std::string_view reason) {
  queue(type, invitation.environment_id, transaction, now,
        [&] { return invitation_payload(type, invitation, transaction, now, reason); });
}

void queue_access_event(EventType type, const base::Uuid& environment_id, const Account& account,
                        const std::vector<Role>& roles, Transaction& transaction, base::Timestamp now) {
  queue(type, environment_id, transaction, now, [&] {
    const auto environment = transaction.find_environment(environment_id);
    if (!environment) throw StorageFailure("access to an environment that is not there");
    ObjectText data;
    data.add("environment_uuid", environment_id.to_string())
        .add("environment_name", environment->name)
        .add("account_uuid", account.id.to_string())
        .add("email", account.email.text())
        .add_json("roles", roles_json(roles));
    return payload_of(type, data, now);
  });
}

std::size_t queue_expired_events(std::uint32_t limit, Transaction& transaction, base::Timestamp now) {
  const auto expired = transaction.take_expired_invitations(now, limit);
  for (const Invitation& invitation : expired)
    queue_invitation_event(EventType::invitation_expired, invitation, transaction, now);
  return expired.size();
}

}  // namespace invited::domain
