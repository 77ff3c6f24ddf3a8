#include "admin/admin_restore.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "admin/admin_json.h"
#include "domain/manage_invitations.h"
#include "domain/restore.h"

namespace invited::admin {
namespace {

using domain::ErrorCode;
using domain::refuse;
using domain::Result;
using domain::Transaction;

constexpr std::string_view kActor = "operator";
/// Changed in one transaction: short enough not to hold up callers' commits.
constexpr std::size_t kBatch = 100;
constexpr std::uint32_t kPage = 5'000;

using Ids = std::vector<base::Uuid>;

/// The newest first.
Result<Ids> held_messages(AdminContext& context) {
  return domain::read_returning(context.store, [](Transaction& transaction) -> Result<Ids> {
    Ids ids;
    for (domain::Page page{.limit = kPage};; page.offset += kPage) {
      const auto messages = transaction.list_messages(domain::MessageState::queued, page);
      for (const domain::OutboxMessage& message : messages)
        if (domain::is_held(message)) ids.push_back(message.id);
      if (messages.size() < kPage) return ids;
    }
  });
}

Result<Ids> invitations_with_dead_links(AdminContext& context) {
  return domain::read_returning(context.store, [&](Transaction& transaction) -> Result<Ids> {
    Ids ids;
    const auto binding = transaction.find_key_binding();
    if (!binding || !binding->restored_at) return ids;
    const base::Timestamp now = context.clock.now();
    domain::InvitationFilter filter;
    filter.state = domain::InvitationState::pending;
    filter.now = now;
    for (domain::Page page{.limit = kPage};; page.offset += kPage) {
      const auto invitations = transaction.list_invitations(filter, page);
      for (const domain::Invitation& invitation : invitations)
        if (domain::has_dead_link(invitation, binding, now)) ids.push_back(invitation.id);
      if (invitations.size() < kPage) return ids;
    }
  });
}

/// Calls `change` for each id, many in one transaction, the oldest first. How many it changed. What has become
/// something else since it was listed is left alone.
template <class Change>
Result<std::uint64_t> change_all(Ids ids, AdminContext& context, Change change) {
  std::uint64_t total = 0;
  while (!ids.empty()) {
    const std::size_t rest = ids.size() - std::min(kBatch, ids.size());
    const auto changed = domain::write_returning(context.store, [&](Transaction& transaction) -> Result<std::uint64_t> {
      std::uint64_t count = 0;
      for (std::size_t i = ids.size(); i > rest; --i) count += change(ids[i - 1], transaction) ? 1 : 0;
      return count;
    });
    if (!changed) return changed;
    total += *changed;
    ids.resize(rest);
  }
  return total;
}

std::unexpected<domain::Error> name_one(std::string_view flag) {
  return refuse(ErrorCode::missing_parameter, "Name one mail by its UUID, or say --" + std::string(flag) + ".",
                "message");
}

bool cancel(const base::Uuid& id, Transaction& transaction, base::Timestamp now) {
  const auto message = transaction.find_message(id);
  if (!message || !transaction.cancel_message(id, now)) return false;
  transaction.insert(domain::AuditEvent{now, std::string(kActor), "mail.cancelled", id, {}, message->environment_id});
  return true;
}

}  // namespace

Result<Json> mail_held(const Arguments&, AdminContext& context) {
  return domain::read_returning(context.store, [](Transaction& transaction) -> Result<Json> {
    const std::uint64_t count = transaction.count_held_messages();
    if (count == 0) return Json(nullptr);
    const auto binding = transaction.find_key_binding();
    const bool known = binding && binding->restored_at;
    return Json{{"count", count}, {"restored_at", known ? Json(base::to_rfc3339(*binding->restored_at)) : Json()}};
  });
}

Result<Json> mail_release(const Arguments& arguments, AdminContext& context) {
  const auto id = arguments.optional_uuid("message");
  if (!id) return std::unexpected(id.error());
  if (arguments.flag("all") == id->has_value()) return name_one("all");
  const auto release = [&](const base::Uuid& message, Transaction& transaction) {
    return domain::release_held_message(message, kActor, transaction, context.policy, context.clock.now());
  };
  Result<Json> done = Json();
  if (*id) {
    done = domain::write_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
      const auto released = release(**id, transaction);
      if (!released) return std::unexpected(released.error());
      return to_json(*released, transaction.find_mail_hold());
    });
  } else {
    auto held = held_messages(context);
    if (!held) return std::unexpected(std::move(held.error()));
    const auto count = change_all(std::move(*held), context, [&](const auto& message, Transaction& transaction) {
      return release(message, transaction).has_value();
    });
    done = count ? Result<Json>(Json{{"released", *count}}) : std::unexpected(count.error());
  }
  if (done) context.mail_queued();
  return done;
}

Result<Json> mail_cancel(const Arguments& arguments, AdminContext& context) {
  const auto id = arguments.optional_uuid("message");
  if (!id) return std::unexpected(id.error());
  if (arguments.flag("held") == id->has_value()) return name_one("held");
  if (*id)
    return domain::write_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
      const auto message = transaction.find_message(**id);
      if (!message)
        return refuse(ErrorCode::not_found, "There is no mail " + (*id)->to_string() + ": see invited mail list.",
                      "message");
      if (!cancel(**id, transaction, context.clock.now()))
        return refuse(ErrorCode::invalid_parameter,
                      "The mail is " + std::string(domain::to_string(message->state)) +
                          ": only one that is still owed can be cancelled.",
                      "message");
      return to_json(*transaction.find_message(**id), transaction.find_mail_hold());
    });
  auto held = held_messages(context);
  if (!held) return std::unexpected(std::move(held.error()));
  const auto count = change_all(std::move(*held), context, [&](const auto& message, Transaction& transaction) {
    return cancel(message, transaction, context.clock.now());
  });
  if (!count) return std::unexpected(count.error());
  return Json{{"cancelled", *count}};
}

Result<Json> resend_after_restore(AdminContext& context) {
  auto ids = invitations_with_dead_links(context);
  if (!ids) return std::unexpected(std::move(ids.error()));
  const auto count = change_all(std::move(*ids), context, [&](const auto& id, Transaction& transaction) {
    return domain::resend_invitation(id, kActor, transaction, context.policy, context.clock.now()).has_value();
  });
  if (!count) return std::unexpected(count.error());
  context.mail_queued();
  return Json{{"resent", *count}};
}

}  // namespace invited::admin
