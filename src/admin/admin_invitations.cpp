// The noun invitation.
#include <array>
#include <span>
#include <utility>

#include "admin/admin_arguments.h"
#include "admin/admin_json.h"
#include "admin/admin_restore.h"
#include "domain/manage_invitations.h"

namespace invited::admin {
namespace {

using domain::ErrorCode;
using domain::refuse;
using domain::Result;
using domain::Transaction;

constexpr std::string_view kActor = "operator";

Result<Json> invitation_list(const Arguments& arguments, AdminContext& context) {
  auto environment_name = arguments.text_or_empty("environment");
  auto email = arguments.text_or_empty("email");
  auto state = arguments.text_or_empty("state");
  auto page = arguments.page();
  if (!environment_name) return error_of(environment_name);
  if (!email) return error_of(email);
  if (!state) return error_of(state);
  if (!page) return error_of(page);
  domain::InvitationFilter filter;
  filter.now = context.clock.now();
  if (!state->empty()) {
    filter.state = domain::parse_invitation_state(*state);
    if (!filter.state)
      return refuse(ErrorCode::invalid_parameter,
                    "\"" + *state + "\" is no state: pending, accepted, declined, revoked, expired.", "state");
  }
  if (!email->empty()) {
    const auto address = domain::EmailAddress::parse(*email);
    if (!address) return refuse(ErrorCode::invalid_email_address, "\"" + *email + "\" is not a mail address.", "email");
    filter.invitee_key = address->key();
  }
  return domain::read_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    if (!environment_name->empty()) {
      const auto environment = find_environment(*environment_name, transaction);
      if (!environment) return error_of(environment);
      filter.environment_id = environment->id;
    }
    Json list = Json::array();
    const domain::RelatedRows related(transaction);
    for (const domain::Invitation& invitation : transaction.list_invitations(filter, *page))
      list.push_back(to_json(invitation, related, filter.now));
    return list;
  });
}

Result<Json> invitation_show(const Arguments& arguments, AdminContext& context) {
  const auto id = arguments.uuid("invitation");
  if (!id) return error_of(id);
  return domain::read_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    const auto invitation = transaction.find_invitation(*id);
    if (!invitation)
      return refuse(ErrorCode::not_found,
                    "There is no invitation " + id->to_string() + ": see invited invitation list.", "invitation");
    return to_json(*invitation, domain::RelatedRows(transaction), context.clock.now());
  });
}

Result<Json> invitation_resend(const Arguments& arguments, AdminContext& context) {
  const auto named = arguments.optional_uuid("invitation");
  if (!named) return error_of(named);
  if (arguments.flag("after_restore") == named->has_value())
    return refuse(ErrorCode::missing_parameter, "Name one invitation by its UUID, or say --after-restore.",
                  "invitation");
  if (!*named) return resend_after_restore(context);
  const auto& id = *named;
  auto resent = domain::write_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    const base::Timestamp now = context.clock.now();
    auto invitation = domain::resend_invitation(*id, kActor, transaction, context.policy, now);
    if (!invitation) return error_of(invitation);
    return to_json(*invitation, domain::RelatedRows(transaction), now);
  });
  if (resent) context.mail_queued();
  return resent;
}

Result<Json> invitation_revoke(const Arguments& arguments, AdminContext& context) {
  const auto id = arguments.uuid("invitation");
  if (!id) return error_of(id);
  return domain::write_returning(context.store, [&](Transaction& transaction) -> Result<Json> {
    const base::Timestamp now = context.clock.now();
    auto invitation = domain::revoke_invitation(*id, kActor, transaction, now);
    if (!invitation) return error_of(invitation);
    return to_json(*invitation, domain::RelatedRows(transaction), now);
  });
}

constexpr std::array kCommands{
    Command{"invitation list", "environment email state limit offset", invitation_list},
    Command{"invitation show", "invitation", invitation_show},
    Command{"invitation resend", "invitation after_restore", invitation_resend},
    Command{"invitation revoke", "invitation", invitation_revoke},
};

}  // namespace

std::span<const Command> invitation_commands() { return kCommands; }

}  // namespace invited::admin
