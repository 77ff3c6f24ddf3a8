// What units of work will ask about, looked up before they run. On PostgreSQL for all works of a batch at once: each
// round trip that a work would make on its own is one for the whole batch. On SQLite for each work by itself: one
// statement tells that an invitee is new, as most are, where three would have found nothing. Only what a caller foresaw
// (domain::Foresight) is here, and only until something of it is written; whoever is not answered here asks the
// database. One thread.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "domain/store.h"
#include "storage/connection.h"
#include "storage/lock_statements.h"

namespace invited::storage {

/// Of those keys that are addresses.
std::set<std::string> mailboxes_of(const std::set<std::string>& invitee_keys);

class LookAhead {
 public:
  explicit LookAhead(Connection& connection);
  ~LookAhead();

  /// Locks the mailboxes and looks up, for each invitee, the account, the pending invitations (locked) and the slots of
  /// the mailbox after `since`. Throws DatabaseFailure.
  void load(const std::set<std::string>& invitee_keys, base::Timestamp since, LockStatements& locks);
  /// Looks whether there is an account, an invitation or a mail of the invitee at all: where there is none, all three
  /// questions are answered. Throws DatabaseFailure.
  void load_if_new(const std::string& invitee_key);
  void forget();

  // Each: nothing where it is not known here; what is known not to be there is an empty optional in it.

  std::optional<std::optional<domain::Account>> account(std::string_view email_key) const;
  std::optional<std::optional<domain::Invitation>> pending_invitation(const base::Uuid& environment_id,
                                                                      std::string_view invitee_key) const;
  /// Ascending.
  std::optional<std::vector<base::Timestamp>> slots(std::string_view mailbox, base::Timestamp since) const;

  // To be called where such rows are written.

  void forget_accounts();
  void forget_invitations_of(std::string_view invitee_key);
  void forget_slots_of(std::string_view mailbox);
  void forget_slots();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace invited::storage
