// The port to storage: units of work over everything that is kept. Implemented by storage/; nothing here knows SQL,
// and PostgreSQL can stand behind it as SQLite does. The contract suite is tests/storage/store_contract_test.cpp.
//
// Threads: a Store may be used by any number of threads. A Transaction belongs to the thread that runs the work and
// dies with it. Work must be quick, must not block, must not call the Store again, and must not touch what its
// caller's thread uses meanwhile; it may run on another thread than the caller's (group commit).
//
// Errors: Transaction's functions return what they found. Where the database itself fails they throw StorageFailure,
// which the Store turns into an Error; use cases neither throw nor catch it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "domain/account.h"
#include "domain/api_token.h"
#include "domain/app.h"
#include "domain/audit_event.h"
#include "domain/error.h"
#include "domain/history.h"
#include "domain/incarnation.h"
#include "domain/invitation.h"
#include "domain/invitation_query.h"
#include "domain/outbox_message.h"
#include "domain/profile.h"
#include "domain/refresh_call.h"
#include "domain/webhook.h"

namespace invited::domain {

/// Thrown by Transaction's functions, caught by the Store only.
struct StorageFailure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Which part of a listing is wanted. Listings are newest first.
struct Page {
  std::uint32_t limit = 100;
  std::uint32_t offset = 0;
};

struct InvitationFilter {
  std::optional<base::Uuid> environment_id;
  std::optional<std::string> invitee_key;  ///< EmailAddress::key()
  std::optional<InvitationState> state;    ///< as of `now`; without invitee_key those sent last come first
  base::Timestamp now;                     ///< for telling pending from expired
};

/// A person's role in an environment, with the words that a listing shows.
struct AccessEntry {
  Access access;
  std::string email;
  std::string name;
  std::string role_name;
};

/// Remembered rate of one subject, as the theoretical arrival times of two GCRA limits (domain/rate_limit.h).
struct RateRecord {
  base::Timestamp short_term{};
  base::Timestamp long_term{};
};

/// What an Idempotency-Key was used for.
struct IdempotencyRecord {
  base::Uuid environment_id;
  std::string key;
  std::string request_digest;
  base::Timestamp created_at;
  int status = 0;        ///< of the answer, for whoever repeats the call; 0 where there is nothing to say
  std::string answer{};  ///< its body, without links and tokens
};

/// One unit of work: sees a consistent state, and its writes become durable together or not at all.
class Transaction {
 public:
  virtual ~Transaction() = default;

  // --- apps, roles, environments -------------------------------------------------------------------
  virtual void insert(const App&) = 0;
  virtual void update(const App&) = 0;  ///< name, url, language, grants, redirect_urls
  virtual std::optional<App> find_app(const base::Uuid& id) = 0;
  virtual std::vector<App> list_apps() = 0;
  virtual void insert(const Role&) = 0;
  virtual void update(const Role&) = 0;  ///< its name, and whom it manages
  virtual std::optional<Role> find_role(const base::Uuid& app_id, const base::Uuid& role_id) = 0;
  virtual std::vector<Role> list_roles(const base::Uuid& app_id) = 0;
  virtual void set_role_alias(const RoleAlias&) = 0;
  virtual bool erase_role_alias(const base::Uuid& app_id, std::string_view dialect, std::string_view name) = 0;
  virtual std::vector<RoleAlias> list_role_aliases(const base::Uuid& app_id) = 0;  ///< by dialect and name
  virtual void insert(const Environment&) = 0;
  virtual void update(const Environment&) = 0;  ///< all but its id, app and age
  virtual std::optional<Environment> find_environment(const base::Uuid& id) = 0;
  virtual std::vector<Environment> list_environments() = 0;
  /// Until the transaction ends nobody else changes it, and what is found of it from now on is the newest: to be called
  /// before something is found in order to be changed. Has no effect where nobody else can write.
  virtual void lock_environment(const base::Uuid& id) = 0;

  // --- accounts and access -------------------------------------------------------------------------
  virtual void insert(const Account&) = 0;
  virtual void update(const Account&) = 0;  ///< name, password_hash, password_generation, disabled
  virtual std::optional<Account> find_account(const base::Uuid& id) = 0;
  virtual std::optional<Account> find_account_by_email(std::string_view email_key) = 0;
  virtual void lock_account(const base::Uuid& id) = 0;  ///< as lock_environment
  virtual std::vector<Account> list_accounts(const Page&) = 0;
  virtual void insert(const Access&) = 0;  ///< no effect where it is there already
  virtual bool erase(const Access&) = 0;   ///< false where there was none; granted_at is not compared
  virtual bool has_any_access(const base::Uuid& account_id, const base::Uuid& environment_id) = 0;
  virtual bool has_access(const base::Uuid& account_id, const base::Uuid& environment_id,
                          const base::Uuid& role_id) = 0;
  virtual std::vector<AccessEntry> list_access(const base::Uuid& environment_id, const Page&) = 0;
  /// The next ones behind `last`, which may have been withdrawn since: what goes meanwhile shifts nothing.
  virtual std::vector<AccessEntry> list_access_behind(const Access& last, std::uint32_t limit) = 0;
  /// The account's roles in the environment that are (still) roles of its app, by name.
  virtual std::vector<Role> list_roles_of(const base::Uuid& account_id, const base::Uuid& environment_id) = 0;
  /// The environments to which the account has any access.
  virtual std::vector<base::Uuid> list_environments_of(const base::Uuid& account_id) = 0;
  virtual Profile find_profile(const base::Uuid& account_id) = 0;
  virtual void set_profile(const base::Uuid& account_id, const Profile&) = 0;

  /// Accounts with any access to the environment whose address or name holds `search` (ASCII letters without case;
  /// empty: all), by id: the oldest accounts first, but for ids that an operator brought along.
  virtual std::vector<Account> list_people(const base::Uuid& environment_id, std::string_view search, const Page&) = 0;
  /// The next ones behind the account `last`, which may have lost its access since.
  virtual std::vector<Account> list_people_behind(const base::Uuid& environment_id, std::string_view search,
                                                  const base::Uuid& last, std::uint32_t limit) = 0;
  virtual std::uint64_t count_people(const base::Uuid& environment_id, std::string_view search) = 0;

  // --- API tokens ----------------------------------------------------------------------------------
  virtual void insert(const ApiToken&) = 0;
  virtual std::optional<ApiToken> find_api_token(std::string_view hash) = 0;
  virtual std::optional<ApiToken> find_api_token(const base::Uuid& id) = 0;
  /// Of one environment, or of all.
  virtual std::vector<ApiToken> list_api_tokens(const std::optional<base::Uuid>& environment_id, const Page&) = 0;
  virtual bool revoke_api_token(const base::Uuid& id, base::Timestamp now) = 0;  ///< false: revoked before, or unknown
  virtual void note_use_of_api_token(const base::Uuid& id, base::Timestamp now) = 0;

  // --- sessions ------------------------------------------------------------------------------------
  virtual void insert(const Session&) = 0;
  virtual std::optional<Session> find_session(std::string_view token_hash) = 0;
  virtual bool erase_session(std::string_view token_hash) = 0;  ///< false where there was none
  virtual void erase_sessions(const base::Uuid& account_id) = 0;
  virtual void erase_all_sessions() = 0;

  // --- invitations ---------------------------------------------------------------------------------
  virtual void insert(const Invitation&) = 0;
  virtual void update(const Invitation&) = 0;  ///< all but id, environment, invitee and age
  // Found by work that writes, nobody else changes them until its transaction ends.
  virtual std::optional<Invitation> find_invitation(const base::Uuid& id) = 0;
  /// The one whose stored state is pending; the schema allows one for an environment and invitee.
  virtual std::optional<Invitation> find_pending_invitation(const base::Uuid& environment_id,
                                                            std::string_view invitee_key) = 0;
  virtual std::vector<Invitation> list_invitations(const InvitationFilter&, const Page&) = 0;
  virtual std::vector<Invitation> query_invitations(const InvitationQuery&, const Page&) = 0;
  virtual std::uint64_t count_invitations(const InvitationQuery&) = 0;

  // --- outbox --------------------------------------------------------------------------------------
  virtual void insert(const OutboxMessage&) = 0;
  virtual std::optional<OutboxMessage> find_message(const base::Uuid& id) = 0;
  virtual std::optional<MessageState> find_message_state(const base::Uuid& id) = 0;
  /// Empty `state`: all of them. Queued ones: the last to be due first.
  virtual std::vector<OutboxMessage> list_messages(std::optional<MessageState> state, const Page&) = 0;
  virtual std::vector<OutboxMessage> list_messages_of(const base::Uuid& invitation_id) = 0;  ///< oldest first
  virtual std::vector<Attempt> list_attempts(const base::Uuid& message_id) = 0;
  /// `not_before` of the messages to a mailbox whose slot is after `since`, ascending; without those that were
  /// cancelled, or failed before they were ever tried.
  virtual std::vector<base::Timestamp> list_mailbox_slots(std::string_view mailbox, base::Timestamp since) = 0;
  /// The newest already_has_access message for this environment and address, if any.
  virtual std::optional<base::Timestamp> last_notice_at(const base::Uuid& environment_id,
                                                        std::string_view recipient_key) = 0;
  /// Queued messages of the invitation become cancelled; those under lease too (their outcome is still recorded).
  virtual void cancel_messages(const base::Uuid& invitation_id, base::Timestamp now) = 0;
  /// Claims up to `limit` queued messages that are due, oldest first, until `lease_until`: records the beginning of
  /// an attempt for each. Messages whose lease has ended are claimable again, their death counted; at
  /// kDeathsBeforeQuarantine they become quarantined instead; past `expires_at` they become failed.
  virtual std::vector<Lease> claim_due_messages(std::uint32_t limit, base::Timestamp now,
                                                base::Timestamp lease_until) = 0;
  /// Ends a lease with its outcome: the one place where an outcome is written. `next_attempt`: when a deferred or held
  /// message is due again; nothing, or its expiry and later, makes a deferred one failed. False where the lease is no
  /// longer the message's.
  virtual bool finish_attempt(const Lease&, const DeliveryResult&, std::optional<base::Timestamp> next_attempt,
                              base::Timestamp now) = 0;
  /// failed, quarantined, waiting for its next try → queued, due now, deaths and attempts forgotten. False otherwise.
  virtual bool retry_message(const base::Uuid& id, base::Timestamp now) = 0;
  /// queued → cancelled. False in any other state.
  virtual bool cancel_message(const base::Uuid& id, base::Timestamp now) = 0;
  /// Queued messages of the invitation get another expiry, and so do those that were sent and whose link is not over by
  /// `now`. Queued ones whose next attempt would come too late for it become failed: how many did.
  virtual std::uint64_t set_expiry_of_messages(const base::Uuid& invitation_id, base::Timestamp expires_at,
                                               base::Timestamp now) = 0;
  /// The links in what was sent of the invitation before this generation are over by `now`, whatever becomes of the
  /// newer mail.
  virtual void end_older_links(const base::Uuid& invitation_id, std::uint32_t generation, base::Timestamp now) = 0;
  /// Queued messages of the environment that are not held become due now, or as soon as their slot comes.
  virtual void hurry_messages(const base::Uuid& environment_id, base::Timestamp now) = 0;
  /// Every queued message becomes held (is_held), with `reason` as its last error; leases end. How many.
  virtual std::uint64_t hold_queued_messages(std::string_view reason) = 0;
  /// A held message becomes due now. False where it is not held.
  virtual bool release_message(const base::Uuid& id, base::Timestamp now) = 0;
  virtual std::uint64_t count_held_messages() = 0;
  virtual std::optional<MailHold> find_mail_hold() = 0;
  virtual void set_mail_hold(const std::optional<MailHold>&) = 0;

  // --- calls to apps -------------------------------------------------------------------------------
  /// Where a queued one for the same environment and account is not under lease, that stands for both: it takes over
  /// `queued_at`, is due by then, and its attempts are forgotten.
  virtual void insert(const RefreshCall&) = 0;
  virtual std::optional<RefreshCall> find_refresh_call(const base::Uuid& id) = 0;
  /// Empty `state`: all of them.
  virtual std::vector<RefreshCall> list_refresh_calls(std::optional<CallState> state, const Page&) = 0;

  // --- webhooks ------------------------------------------------------------------------------------
  virtual void insert(const Webhook&) = 0;
  virtual void update(const Webhook&) = 0;            ///< all but its id, environment and age
  virtual bool erase_webhook(const base::Uuid&) = 0;  ///< its deliveries stay; false where there was none
  virtual std::optional<Webhook> find_webhook(const base::Uuid& id) = 0;
  virtual std::vector<Webhook> list_webhooks(const base::Uuid& environment_id) = 0;  ///< oldest first
  virtual std::vector<Webhook> list_all_webhooks() = 0;
  virtual void insert(const WebhookDelivery&) = 0;
  /// Queued ones of the webhook that are not under lease become cancelled, with `reason` as their last error. How many.
  virtual std::uint64_t cancel_deliveries(const base::Uuid& webhook_id, std::string_view reason,
                                          base::Timestamp now) = 0;
  virtual std::optional<WebhookDelivery> find_webhook_delivery(const base::Uuid& id) = 0;
  virtual std::vector<WebhookDelivery> list_webhook_deliveries(const DeliveryFilter&, const Page&) = 0;
  /// From `now` on take_expired_invitations finds what expires. No effect where somebody watches already.
  virtual void watch_expiry(base::Timestamp now) = 0;
  /// The next pending invitations whose time is over by `now`, in that order; each is taken once, whichever instance
  /// asks. None where nobody watches. Where more than a minute ahead of `now` was told of, by a clock that was ahead,
  /// it begins at `now`.
  virtual std::vector<Invitation> take_expired_invitations(base::Timestamp now, std::uint32_t limit) = 0;

  // --- calls of either kind ------------------------------------------------------------------------
  virtual std::vector<CallAttempt> list_call_attempts(CallKind, const base::Uuid& call_id) = 0;
  /// Claims a due call and records the beginning of an attempt. A lease that has ended is claimable again.
  virtual std::optional<CallLease> claim_due_call(CallKind, const CallClaim&) = 0;
  /// Ends a lease with its outcome. `next_attempt`: when a deferred one is due again; without, it has failed. False
  /// where the lease is no longer the call's.
  virtual bool finish_call_attempt(CallKind, const CallLease&, const CallResult&,
                                   std::optional<base::Timestamp> next_attempt, base::Timestamp now) = 0;
  /// failed, cancelled, of webhooks done, and queued ones that wait for their next try → queued now, due now, attempts
  /// forgotten. False in any other state, and while it is under lease.
  virtual bool retry_call(CallKind, const base::Uuid& id, base::Timestamp now) = 0;

  // --- rates, idempotency, audit -------------------------------------------------------------------
  virtual RateRecord find_rate(std::string_view subject) = 0;
  virtual void set_rate(std::string_view subject, const RateRecord&) = 0;
  virtual std::optional<IdempotencyRecord> find_idempotency(const base::Uuid& environment_id, std::string_view key) = 0;
  virtual void insert(const IdempotencyRecord&) = 0;
  virtual void insert(const AuditEvent&) = 0;
  virtual std::vector<AuditEvent> list_audit_events(const Page&) = 0;
  virtual std::vector<AuditEvent> list_audit_events_of(const base::Uuid& environment_id, const Page&) = 0;

  // --- where the database belongs (incarnation.h) --------------------------------------------------
  virtual std::optional<KeyBinding> find_key_binding() = 0;
  virtual void set_key_binding(const KeyBinding&) = 0;
  virtual std::vector<Incarnation> list_incarnations() = 0;
  virtual void set_incarnation(const Incarnation&) = 0;  ///< in place of the instance's earlier one
  virtual void erase_incarnations() = 0;                 ///< of every instance

  /// Deletes what only time made useless: rates and idempotency records older than `before`, sessions that were over by
  /// then. Bounded per call.
  virtual void prune(base::Timestamp before) = 0;

  // --- history (retention) -------------------------------------------------------------------------
  /// Looks at `limit` things of a history, oldest first, from behind `after` (a slice's `end`; empty: from the oldest),
  /// and tells those that ended before `before`.
  virtual HistorySlice list_ended(History, std::string_view after, base::Timestamp before, std::uint32_t limit) = 0;
  /// Deletes what list_ended told between `after` and the `end` of its slice, with the same `before`; what came to its
  /// end, or to life, since then stays. How many things.
  virtual std::uint64_t erase_ended(History, std::string_view after, std::string_view end, base::Timestamp before) = 0;
};

/// Whether a unit of work may be put off when the disk is nearly full or the service drains (promises.md, 4).
enum class Urgency {
  new_work,  ///< refused early: its caller is told and can come again
  owed,      ///< what was promised already goes on: outcomes of mail, answers to invitations
};

/// What a unit of work will ask about, where its caller knows: a store may look it up for many at once, and lock it in
/// one order, so that instances wait for each other less. Nothing else depends on it.
struct Foresight {
  /// EmailAddress::key() of those whom find_account_by_email, find_pending_invitation and list_mailbox_slots are asked
  /// about, in any order; none: nothing known.
  std::vector<std::string> invitee_keys{};
};

class Store {
 public:
  using Work = std::function<Result<void>(Transaction&)>;

  virtual ~Store() = default;

  /// Runs `work` and returns when its writes are durable (group commit: others may share the commit).
  /// - success: durable.
  /// - work's own Error: nothing of it was stored.
  /// - unavailable: nothing was stored (queue full, disk short, draining, no space, statement failed).
  /// - outcome_unknown: the commit failed in a way that does not tell (I/O error): afterwards every write is refused.
  /// Blocks. Work runs once, or not at all, or again after all that it did was undone, where another work of its batch
  /// failed or instances that share a database got into each other's way: it must not go on from what it left in its
  /// caller's variables.
  virtual Result<void> write(Work work, Urgency urgency = Urgency::new_work, const Foresight& foresight = {}) = 0;

  /// Is told, once, what write() would have returned: by a thread of the store's, which it must not hold up, or by the
  /// caller's own before begin_write() returns. Must not throw.
  using Done = std::move_only_function<void(Result<void>)>;

  /// write() for callers who would hold a thread only to wait. Returns before the commit; where many begun ones have
  /// not been told yet, after it, so that callers cannot run ahead of the disk. What `work` and `done` refer to must
  /// live until `done` has been called.
  virtual void begin_write(Work work, Urgency urgency, const Foresight& foresight, Done done) {
    done(write(std::move(work), urgency, foresight));
  }

  /// Runs `work` on a snapshot; it must not write. Blocks for a connection of a small pool. Errors as above, without
  /// outcome_unknown. Work runs again, on another snapshot, where its connection was lost: as in write().
  virtual Result<void> read(Work work) = 0;

  /// True while writes are being taken and the last commit succeeded: what GET /readyz tells.
  virtual bool is_ready() const = 0;

  /// From now on new work is refused with unavailable; what was taken, and what is owed, is finished. For shutdown.
  virtual void drain() = 0;
};

/// For what follows: runs `function` and keeps what it returns in `value`.
template <class Function, class Value>
Result<void> run_and_keep(Function& function, Transaction& transaction, std::optional<Value>& value) {
  auto result = function(transaction);
  if (!result) return std::unexpected(std::move(result.error()));
  value = std::move(*result);
  return {};
}

/// `write` for work that returns a value.
template <class Function>
auto write_returning(Store& store, Function function, Urgency urgency = Urgency::new_work,
                     const Foresight& foresight = {}) -> std::invoke_result_t<Function, Transaction&> {
  std::optional<typename std::invoke_result_t<Function, Transaction&>::value_type> value;
  auto done = store.write([&](Transaction& transaction) { return run_and_keep(function, transaction, value); }, urgency,
                          foresight);
  if (!done) return std::unexpected(std::move(done.error()));
  return std::move(*value);
}

/// `begin_write` for work that returns a value: `done` takes a Result of it.
template <class Function, class Done>
void begin_write_returning(Store& store, Function function, Urgency urgency, const Foresight& foresight, Done done) {
  using Returned = std::invoke_result_t<Function, Transaction&>;
  struct Begun {
    Function function;
    Done done;
    std::optional<typename Returned::value_type> value{};
  };
  const auto begun = std::make_shared<Begun>(std::move(function), std::move(done));
  store.begin_write(
      [begun](Transaction& transaction) { return run_and_keep(begun->function, transaction, begun->value); }, urgency,
      foresight,
      [begun](Result<void> written) {
        begun->done(written ? Returned(std::move(*begun->value))
                            : Returned(std::unexpected(std::move(written.error()))));
      });
}

/// `read` for work that returns a value.
template <class Function>
auto read_returning(Store& store, Function function) -> std::invoke_result_t<Function, Transaction&> {
  std::optional<typename std::invoke_result_t<Function, Transaction&>::value_type> value;
  auto done = store.read([&](Transaction& transaction) { return run_and_keep(function, transaction, value); });
  if (!done) return std::unexpected(std::move(done.error()));
  return std::move(*value);
}

}  // namespace invited::domain
