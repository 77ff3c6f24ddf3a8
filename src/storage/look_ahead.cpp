#include "storage/look_ahead.h"

#include <algorithm>
#include <unordered_map>

#include "storage/account_row.h"
#include "storage/invitation_row.h"
#include "storage/outbox_rows.h"
#include "storage/postgres_array.h"
#include "storage/row_values.h"

namespace invited::storage {
struct LookAhead::State {
  explicit State(Connection& connection_in) : connection(connection_in) {}

  Connection& connection;
  Text keys, mailboxes;
  Number since = 0;
  AccountRow account;
  InvitationRow invitation;
  Text slot_mailbox;
  Number slot = 0;

  Statement find_accounts{connection,
                          std::string(kAccountColumns) + "WHERE email_key = ANY(CAST(:keys AS TEXT[]))",
                          {{"keys", keys}},
                          account.columns()};
  Statement find_pending{connection,
                         std::string(kInvitationColumns) +
                             "WHERE mailbox = ANY(CAST(:mailboxes AS TEXT[])) AND"
                             " (CASE WHEN state = 'pending' THEN 1 END) = 1 FOR UPDATE",
                         {{"mailboxes", mailboxes}},
                         invitation.columns()};
  // Laterals with OFFSET 0 keep the order: mailboxes, their invitations, their mails. Left to itself the planner,
  // before the tables were analysed, walked all mails instead (18 ms for what takes 1).
  Statement find_slots{connection,
                       "SELECT wanted.mailbox, mail.not_before FROM unnest(CAST(:mailboxes AS TEXT[])) AS"
                       " wanted (mailbox) CROSS JOIN LATERAL (SELECT id FROM invitation"
                       " WHERE invitation.mailbox = wanted.mailbox OFFSET 0) AS invited CROSS JOIN LATERAL"
                       " (SELECT not_before FROM outbox_message WHERE invitation_id = invited.id"
                       " AND not_before > :since AND " +
                           takes_slot() +
                           " OFFSET 0) AS mail"
                           " UNION ALL SELECT mailbox, not_before FROM outbox_message WHERE kind = 'already_has_access'"
                           " AND mailbox = ANY(CAST(:mailboxes AS TEXT[])) AND not_before > :since"
                           " AND " +
                           takes_slot(),
                       {{"mailboxes", mailboxes}, {"since", since}},
                       {&slot_mailbox, &slot}};

  Text key, mailbox;
  Number is_known = 0;
  Statement find_anything{connection,
                          "SELECT EXISTS (SELECT 1 FROM account WHERE email_key = :key)"
                          " OR EXISTS (SELECT 1 FROM invitation WHERE " +
                              of_mailbox(connection) +
                              ") OR EXISTS (SELECT 1 FROM outbox_message WHERE mailbox = :mailbox"
                              " AND kind = 'already_has_access')",
                          {{"key", key}, {"mailbox", mailbox}},
                          {&is_known}};

  std::unordered_map<std::string, std::optional<domain::Account>> accounts;
  std::unordered_map<std::string, std::vector<domain::Invitation>> pending;  ///< by invitee, in all environments
  std::unordered_map<std::string, std::vector<base::Timestamp>> slots;       ///< by mailbox, ascending
  base::Timestamp slots_since{};
};

std::set<std::string> mailboxes_of(const std::set<std::string>& invitee_keys) {
  std::set<std::string> mailboxes;
  for (const std::string& key : invitee_keys)
    if (const auto address = domain::EmailAddress::parse(key)) mailboxes.insert(address->mailbox());
  return mailboxes;
}

LookAhead::LookAhead(Connection& connection) : state_(std::make_unique<State>(connection)) {}
LookAhead::~LookAhead() = default;

void LookAhead::load(const std::set<std::string>& invitee_keys, base::Timestamp since, LockStatements& locks) {
  State& state = *state_;
  const std::set<std::string> mailboxes = mailboxes_of(invitee_keys);
  locks.lock_names("mailbox", mailboxes);

  state.keys = array_text(invitee_keys);
  state.mailboxes = array_text(mailboxes);
  state.since = to_number(since);
  state.slots_since = since;
  for (const std::string& key : invitee_keys) {
    state.accounts[key] = std::nullopt;
    state.pending[key].clear();
  }
  for (const std::string& mailbox : mailboxes) state.slots[mailbox].clear();

  state.find_accounts.each([&] {
    auto account = state.account.get();
    state.accounts[account.email.key()] = std::move(account);
  });
  state.find_pending.each([&] {
    auto invitation = state.invitation.get();
    // The mailbox is coarser than the address: others' may have come along.
    if (const auto found = state.pending.find(invitation.invitee.key()); found != state.pending.end())
      found->second.push_back(std::move(invitation));
  });
  state.find_slots.each([&] { state.slots[state.slot_mailbox].push_back(to_time(state.slot)); });
  for (auto& [mailbox, slots] : state.slots) std::ranges::sort(slots);
}

void LookAhead::load_if_new(const std::string& invitee_key) {
  State& state = *state_;
  const auto address = domain::EmailAddress::parse(invitee_key);
  if (!address) return;
  state.key = invitee_key;
  state.mailbox = address->mailbox();
  if (!state.find_anything.find() || state.is_known != 0) return;
  state.accounts[state.key] = std::nullopt;
  state.pending[state.key].clear();
  state.slots[state.mailbox].clear();
  state.slots_since = base::Timestamp{};
}

void LookAhead::forget() {
  state_->accounts.clear();
  state_->pending.clear();
  state_->slots.clear();
}

std::optional<std::optional<domain::Account>> LookAhead::account(std::string_view email_key) const {
  const auto found = state_->accounts.find(std::string(email_key));
  if (found == state_->accounts.end()) return std::nullopt;
  return found->second;
}

std::optional<std::optional<domain::Invitation>> LookAhead::pending_invitation(const base::Uuid& environment_id,
                                                                               std::string_view invitee_key) const {
  const auto found = state_->pending.find(std::string(invitee_key));
  if (found == state_->pending.end()) return std::nullopt;
  const auto of_environment = std::ranges::find(found->second, environment_id, &domain::Invitation::environment_id);
  if (of_environment == found->second.end()) return std::optional<domain::Invitation>();
  return *of_environment;
}

std::optional<std::vector<base::Timestamp>> LookAhead::slots(std::string_view mailbox, base::Timestamp since) const {
  const auto found = state_->slots.find(std::string(mailbox));
  if (found == state_->slots.end() || since < state_->slots_since) return std::nullopt;
  return std::vector(std::ranges::upper_bound(found->second, since), found->second.end());
}

void LookAhead::forget_accounts() { state_->accounts.clear(); }
void LookAhead::forget_invitations_of(std::string_view invitee_key) { state_->pending.erase(std::string(invitee_key)); }
void LookAhead::forget_slots_of(std::string_view mailbox) { state_->slots.erase(std::string(mailbox)); }
void LookAhead::forget_slots() { state_->slots.clear(); }

}  // namespace invited::storage
