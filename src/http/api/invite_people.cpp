#include "http/api/invite_people.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

namespace invited::http {
namespace {

using domain::InviteEffect;
using domain::Result;

/// The newest invitation of theirs that was accepted.
std::optional<domain::Invitation> find_accepted(ApiCall& call, const domain::EmailAddress& email) {
  const auto found = call.transaction.list_invitations(
      {call.caller.environment.id, email.key(), domain::InvitationState::accepted, call.now}, {1, 0});
  if (found.empty()) return std::nullopt;
  return found.front();
}

Result<InvitedPerson> invite_person(ApiCall& call, const domain::Invite& invite) {
  const auto plan = domain::plan_invite(call.caller, invite, call.transaction, call.policy, call.now);
  if (!plan) return std::unexpected(plan.error());
  auto invited = domain::carry_out(*plan, call.caller, invite, call.transaction, call.policy, call.now);
  if (!invited) return std::unexpected(std::move(invited.error()));
  if (invited->effect == InviteEffect::has_access_already) invited->invitation = find_accepted(call, invite.invitee);
  return InvitedPerson{invited->effect, invite.invitee, plan->invitee, std::move(invited->invitation)};
}

/// Those who count against the rates.
std::size_t counted(const std::vector<InvitedPerson>& people) {
  return people.size() -
         static_cast<std::size_t>(std::ranges::count(people, InviteEffect::repeated, &InvitedPerson::effect));
}

}  // namespace

Result<std::vector<InvitedPerson>> invite_people(ApiCall& call, const std::vector<std::string>& emails,
                                                 const std::vector<domain::Role>& roles, std::string_view parameter,
                                                 ApiAnswer& answer) {
  std::vector<InvitedPerson> people;
  const std::uint32_t most = domain::most_at_once(call.policy);
  for (std::size_t i = 0; i < emails.size(); ++i) {
    const auto blame = [&](domain::Error error) {
      if (error.parameter == "email") {
        error.parameter = parameter;
        if (emails.size() > 1) error.parameter += "." + std::to_string(i);
      }
      return std::unexpected(std::move(error));
    };
    domain::InviteText text;
    text.email = emails[i];
    auto invite = domain::check_invite(call.caller.app, text, roles);
    if (!invite) return blame(std::move(invite.error()));
    if (std::ranges::find(people, invite->invitee, &InvitedPerson::email) != people.end()) continue;
    auto person = invite_person(call, *invite);
    if (!person && person.error().code == domain::ErrorCode::rate_limited && counted(people) >= most) {
      return domain::refuse(domain::ErrorCode::invalid_parameter,
                            "Too many people in one call: at most " + std::to_string(most) +
                                " may be invited at once here. Divide the call.",
                            std::string(parameter));
    }
    if (!person) return blame(std::move(person.error()));
    people.push_back(*std::move(person));
  }
  answer.mail_queued = true;
  return people;
}

}  // namespace invited::http
