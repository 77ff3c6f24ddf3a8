#include "domain/bulk_invite.h"

#include <set>

namespace invited::domain {
namespace {

BulkVerdict refused(Error error) { return {"refused", std::nullopt, std::move(error)}; }

BulkVerdict foretell(const InvitePlan& plan) {
  switch (plan.effect) {
    case InviteEffect::invited:
      return {plan.invitee ? "existing_account" : "new", std::nullopt, std::nullopt};
    case InviteEffect::resent:
    case InviteEffect::repeated:
      return {"pending", plan.pending, std::nullopt};
    case InviteEffect::has_access_already:
      return {"has_access", std::nullopt, std::nullopt};
  }
  return {};
}

Result<Invite> read(const BulkItem& item, const Caller& caller, Transaction& transaction) {
  auto roles = find_roles_by_text(caller.app, item.roles, transaction);
  if (!roles) return std::unexpected(std::move(roles.error()));
  return check_invite(caller.app, item.text, *std::move(roles));
}

}  // namespace

std::vector<BulkVerdict> invite_all(const Caller& caller, const std::vector<BulkItem>& items, bool dry_run,
                                    Transaction& transaction, const Policy& policy, base::Timestamp now) {
  std::vector<BulkVerdict> verdicts;
  std::set<std::string> taken;
  for (const BulkItem& item : items) {
    const auto invite = read(item, caller, transaction);
    if (!invite) {
      verdicts.push_back(refused(invite.error()));
      continue;
    }
    if (taken.contains(invite->invitee.key())) {
      verdicts.push_back(refused({ErrorCode::already_exists,
                                  "An earlier invitation of this call has the same address: each address once.",
                                  "email",
                                  {}}));
      continue;
    }
    const auto plan = plan_invite(caller, *invite, transaction, policy, now);
    if (!plan) {
      verdicts.push_back(refused(plan.error()));
      continue;
    }
    if (dry_run) {
      verdicts.push_back(foretell(*plan));
    } else {
      auto done = carry_out(*plan, caller, *invite, transaction, policy, now);
      if (!done) {
        verdicts.push_back(refused(std::move(done.error())));
        continue;
      }
      verdicts.push_back({std::string(to_string(done->effect)), std::move(done->invitation), std::nullopt});
    }
    taken.insert(invite->invitee.key());
  }
  return verdicts;
}

}  // namespace invited::domain
