// domain::Transaction over one connection: hands each call to its aggregate's statements. Lives as long as the
// connection and serves one unit of work after the other. Used by the connection's thread.
//
// A writer's batch (group commit) is run without savepoints first. Run again with them, each unit of work has one of
// its own inside the batch's transaction, set just before its first write. Rows that every work of a batch reads are
// read once (batch_memory.h).
#pragma once

#include "domain/store.h"
#include "storage/account_statements.h"
#include "storage/api_token_statements.h"
#include "storage/app_statements.h"
#include "storage/batch_memory.h"
#include "storage/call_statements.h"
#include "storage/delivery_statements.h"
#include "storage/history_statements.h"
#include "storage/incarnation_statements.h"
#include "storage/invitation_query_statement.h"
#include "storage/invitation_statements.h"
#include "storage/lock_statements.h"
#include "storage/look_ahead.h"
#include "storage/outbox_statements.h"
#include "storage/person_statements.h"
#include "storage/record_statements.h"
#include "storage/refresh_statements.h"
#include "storage/statement.h"
#include "storage/webhook_statements.h"

namespace invited::storage {

class SqlTransaction final : public domain::Transaction {
 public:
  enum class Mode { reading, writing };

  SqlTransaction(Connection& connection, Mode mode);

  /// Looks up at once what the batch's works will ask about, and locks their mailboxes in one order.
  void look_ahead(const std::set<std::string>& invitee_keys);
  /// The locks alone.
  void lock_mailboxes(const std::set<std::string>& invitee_keys);
  /// Looks up at once what the work that comes next will ask about.
  void look_ahead(const domain::Foresight& foresight);
  /// A unit of work begins that may be undone whatever happens to it; otherwise its savepoint is set at its first
  /// write.
  void begin_with_savepoint();
  /// Ends a unit of work: what it wrote stays part of the transaction, or goes. Throw DatabaseFailure.
  void keep();
  /// Without savepoints, work that wrote cannot be undone alone: DatabaseFailure of the kind `conflict`.
  void undo();
  /// The database gave up the whole transaction: there is no savepoint any more.
  void forget() { has_savepoint_ = has_written_ = false; }
  /// A writer's transaction begins: what an earlier one has read may have changed. Without savepoints a batch costs
  /// less, but all of it has to be run again where one work of it fails.
  void begin_batch(base::Timestamp now, bool uses_savepoints);
  /// Its last unit of work has ended, the commit comes next. Throws DatabaseFailure.
  void end_batch();

  void insert(const domain::App& app) override { changing(), apps_.insert(app); }
  void update(const domain::App& app) override { changing(), apps_.update(app); }
  std::optional<domain::App> find_app(const base::Uuid& id) override {
    if (mode_ == Mode::reading) return apps_.find_app(id);
    return memory_.app(id, [&] { return apps_.find_app(id); });
  }
  std::vector<domain::App> list_apps() override { return apps_.list_apps(); }
  void insert(const domain::Role& role) override { changing(), apps_.insert(role); }
  void update(const domain::Role& role) override { changing(), apps_.update(role); }
  std::optional<domain::Role> find_role(const base::Uuid& app_id, const base::Uuid& role_id) override {
    if (mode_ == Mode::reading) return apps_.find_role(app_id, role_id);
    return memory_.role(app_id, role_id, [&] { return apps_.find_role(app_id, role_id); });
  }
  std::vector<domain::Role> list_roles(const base::Uuid& app_id) override { return apps_.list_roles(app_id); }
  void set_role_alias(const domain::RoleAlias& alias) override { writing(), apps_.set_role_alias(alias); }
  bool erase_role_alias(const base::Uuid& app_id, std::string_view dialect, std::string_view name) override {
    return writing(), apps_.erase_role_alias(app_id, dialect, name);
  }
  std::vector<domain::RoleAlias> list_role_aliases(const base::Uuid& app_id) override {
    return apps_.list_role_aliases(app_id);
  }
  void insert(const domain::Environment& environment) override { changing(), apps_.insert(environment); }
  void update(const domain::Environment& environment) override { changing(), apps_.update(environment); }
  std::optional<domain::Environment> find_environment(const base::Uuid& id) override {
    if (mode_ == Mode::reading) return apps_.find_environment(id);
    return memory_.environment(id, [&] { return apps_.find_environment(id); });
  }
  std::vector<domain::Environment> list_environments() override { return apps_.list_environments(); }

  void lock_environment(const base::Uuid& id) override {
    forget_rows();
    if (mode_ == Mode::writing) locks_.lock_environment(id);
  }
  void lock_account(const base::Uuid& id) override {
    forget_rows();
    if (mode_ == Mode::writing) locks_.lock_account(id);
  }

  void insert(const domain::Account& account) override { changing(), accounts_.insert(account); }
  void update(const domain::Account& account) override { changing(), accounts_.update(account); }
  std::optional<domain::Account> find_account(const base::Uuid& id) override { return accounts_.find_account(id); }
  std::optional<domain::Account> find_account_by_email(std::string_view email_key) override {
    if (mode_ == Mode::reading) return accounts_.find_account_by_email(email_key);
    return memory_.account(email_key, [&] {
      if (const auto known = ahead_.account(email_key)) return *known;
      return accounts_.find_account_by_email(email_key);
    });
  }
  std::vector<domain::Account> list_accounts(const domain::Page& page) override {
    return accounts_.list_accounts(page);
  }
  void insert(const domain::Access& access) override { changing(), accounts_.insert(access); }
  bool erase(const domain::Access& access) override { return changing(), accounts_.erase(access); }
  bool has_any_access(const base::Uuid& account_id, const base::Uuid& environment_id) override {
    if (mode_ == Mode::reading) return accounts_.has_any_access(account_id, environment_id);
    return memory_.has_any_access(account_id, environment_id,
                                  [&] { return accounts_.has_any_access(account_id, environment_id); });
  }
  bool has_access(const base::Uuid& account_id, const base::Uuid& environment_id, const base::Uuid& role_id) override {
    return accounts_.has_access(account_id, environment_id, role_id);
  }
  std::vector<domain::AccessEntry> list_access(const base::Uuid& environment_id, const domain::Page& page) override {
    return accounts_.list_access(environment_id, page);
  }
  std::vector<domain::AccessEntry> list_access_behind(const domain::Access& last, std::uint32_t limit) override {
    return accounts_.list_access_behind(last, limit);
  }
  std::vector<domain::Role> list_roles_of(const base::Uuid& account_id, const base::Uuid& environment_id) override {
    return accounts_.list_roles_of(account_id, environment_id);
  }
  std::vector<base::Uuid> list_environments_of(const base::Uuid& account_id) override {
    return accounts_.list_environments_of(account_id);
  }

  std::vector<domain::Account> list_people(const base::Uuid& environment_id, std::string_view search,
                                           const domain::Page& page) override {
    return accounts_.list_people(environment_id, search, page);
  }
  std::vector<domain::Account> list_people_behind(const base::Uuid& environment_id, std::string_view search,
                                                  const base::Uuid& last, std::uint32_t limit) override {
    return accounts_.list_people_behind(environment_id, search, last, limit);
  }
  std::uint64_t count_people(const base::Uuid& environment_id, std::string_view search) override {
    return accounts_.count_people(environment_id, search);
  }

  void insert(const domain::ApiToken& token) override { writing(), tokens_.insert(token); }
  std::optional<domain::ApiToken> find_api_token(std::string_view hash) override {
    return tokens_.find_api_token(hash);
  }
  std::optional<domain::ApiToken> find_api_token(const base::Uuid& id) override { return tokens_.find_api_token(id); }
  std::vector<domain::ApiToken> list_api_tokens(const std::optional<base::Uuid>& environment_id,
                                                const domain::Page& page) override {
    return tokens_.list_api_tokens(environment_id, page);
  }
  bool revoke_api_token(const base::Uuid& id, base::Timestamp now) override {
    return writing(), tokens_.revoke_api_token(id, now);
  }
  void note_use_of_api_token(const base::Uuid& id, base::Timestamp now) override {
    writing(), tokens_.note_use_of_api_token(id, now);
  }

  domain::Profile find_profile(const base::Uuid& account_id) override { return people_.find_profile(account_id); }
  void set_profile(const base::Uuid& account_id, const domain::Profile& profile) override {
    writing(), people_.set_profile(account_id, profile);
  }
  void insert(const domain::Session& session) override { writing(), people_.insert(session); }
  std::optional<domain::Session> find_session(std::string_view token_hash) override {
    return people_.find_session(token_hash);
  }
  bool erase_session(std::string_view token_hash) override { return writing(), people_.erase_session(token_hash); }
  void erase_sessions(const base::Uuid& account_id) override { writing(), people_.erase_sessions(account_id); }
  void erase_all_sessions() override { writing(), people_.erase_all_sessions(); }

  void insert(const domain::Invitation& invitation) override {
    writing(), ahead_.forget_invitations_of(invitation.invitee.key()), invitations_.insert(invitation);
  }
  void update(const domain::Invitation& invitation) override {
    writing(), ahead_.forget_invitations_of(invitation.invitee.key()), invitations_.update(invitation);
  }
  std::optional<domain::Invitation> find_invitation(const base::Uuid& id) override {
    return invitations_.find_invitation(id, mode_ == Mode::writing);
  }
  std::optional<domain::Invitation> find_pending_invitation(const base::Uuid& environment_id,
                                                            std::string_view invitee_key) override {
    if (const auto known = ahead_.pending_invitation(environment_id, invitee_key)) return *known;
    lock_mailbox_of(invitee_key);
    return invitations_.find_pending_invitation(environment_id, invitee_key, mode_ == Mode::writing);
  }
  std::vector<domain::Invitation> list_invitations(const domain::InvitationFilter& filter,
                                                   const domain::Page& page) override {
    return invitations_.list_invitations(filter, page);
  }
  std::vector<domain::Invitation> query_invitations(const domain::InvitationQuery& query,
                                                    const domain::Page& page) override {
    return storage::query_invitations(connection_, query, page);
  }
  std::uint64_t count_invitations(const domain::InvitationQuery& query) override {
    return storage::count_invitations(connection_, query);
  }

  void insert(const domain::OutboxMessage& message) override {
    writing(), ahead_.forget_slots_of(message.recipient.mailbox()), outbox_.insert(message);
  }
  std::optional<domain::OutboxMessage> find_message(const base::Uuid& id) override { return outbox_.find_message(id); }
  std::optional<domain::MessageState> find_message_state(const base::Uuid& id) override {
    return outbox_.find_message_state(id);
  }
  std::vector<domain::OutboxMessage> list_messages(std::optional<domain::MessageState> state,
                                                   const domain::Page& page) override {
    return outbox_.list_messages(state, page);
  }
  std::vector<domain::OutboxMessage> list_messages_of(const base::Uuid& invitation_id) override {
    return outbox_.list_messages_of(invitation_id);
  }
  std::vector<domain::Attempt> list_attempts(const base::Uuid& message_id) override {
    return outbox_.list_attempts(message_id);
  }
  std::vector<base::Timestamp> list_mailbox_slots(std::string_view mailbox, base::Timestamp since) override {
    if (auto known = ahead_.slots(mailbox, since)) return *std::move(known);
    lock_name("mailbox", mailbox);
    return outbox_.list_mailbox_slots(mailbox, since);
  }
  std::optional<base::Timestamp> last_notice_at(const base::Uuid& environment_id,
                                                std::string_view recipient_key) override {
    lock_mailbox_of(recipient_key);
    return outbox_.last_notice_at(environment_id, recipient_key);
  }
  void cancel_messages(const base::Uuid& invitation_id, base::Timestamp now) override {
    writing(), ahead_.forget_slots(), outbox_.cancel_messages(invitation_id, now);
  }
  std::vector<domain::Lease> claim_due_messages(std::uint32_t limit, base::Timestamp now,
                                                base::Timestamp lease_until) override {
    return writing(), deliveries_.claim_due_messages(limit, now, lease_until);
  }
  bool finish_attempt(const domain::Lease& lease, const domain::DeliveryResult& result,
                      std::optional<base::Timestamp> next_attempt, base::Timestamp now) override {
    return writing(), deliveries_.finish_attempt(lease, result, next_attempt, now);
  }
  bool retry_message(const base::Uuid& id, base::Timestamp now) override {
    return writing(), deliveries_.retry_message(id, now);
  }
  bool cancel_message(const base::Uuid& id, base::Timestamp now) override {
    return writing(), ahead_.forget_slots(), outbox_.cancel_message(id, now);
  }
  std::uint64_t set_expiry_of_messages(const base::Uuid& invitation_id, base::Timestamp expires_at,
                                       base::Timestamp now) override {
    return writing(), ahead_.forget_slots(), outbox_.set_expiry_of_messages(invitation_id, expires_at, now);
  }
  void end_older_links(const base::Uuid& invitation_id, std::uint32_t generation, base::Timestamp now) override {
    writing(), outbox_.end_older_links(invitation_id, generation, now);
  }
  void hurry_messages(const base::Uuid& environment_id, base::Timestamp now) override {
    writing(), outbox_.hurry_messages(environment_id, now);
  }
  std::uint64_t hold_queued_messages(std::string_view reason) override {
    return writing(), outbox_.hold_queued_messages(reason);
  }
  bool release_message(const base::Uuid& id, base::Timestamp now) override {
    return writing(), outbox_.release_message(id, now);
  }
  std::uint64_t count_held_messages() override { return outbox_.count_held_messages(); }
  std::optional<domain::MailHold> find_mail_hold() override { return deliveries_.find_mail_hold(); }
  void set_mail_hold(const std::optional<domain::MailHold>& hold) override {
    writing(), deliveries_.set_mail_hold(hold);
  }

  void insert(const domain::RefreshCall& call) override { writing(), refreshes_.insert(call); }
  std::optional<domain::RefreshCall> find_refresh_call(const base::Uuid& id) override {
    return refreshes_.find_refresh_call(id);
  }
  std::vector<domain::RefreshCall> list_refresh_calls(std::optional<domain::CallState> state,
                                                      const domain::Page& page) override {
    return refreshes_.list_refresh_calls(state, page);
  }

  void insert(const domain::Webhook& webhook) override { changing(), webhooks_.insert(webhook); }
  void update(const domain::Webhook& webhook) override { changing(), webhooks_.update(webhook); }
  bool erase_webhook(const base::Uuid& id) override { return changing(), webhooks_.erase_webhook(id); }
  std::optional<domain::Webhook> find_webhook(const base::Uuid& id) override { return webhooks_.find_webhook(id); }
  std::vector<domain::Webhook> list_webhooks(const base::Uuid& environment_id) override {
    if (mode_ == Mode::reading) return webhooks_.list_webhooks(environment_id);
    return memory_.webhooks(environment_id, [&] { return webhooks_.list_webhooks(environment_id); });
  }
  std::vector<domain::Webhook> list_all_webhooks() override { return webhooks_.list_all_webhooks(); }
  void insert(const domain::WebhookDelivery& delivery) override { writing(), webhooks_.insert(delivery); }
  std::uint64_t cancel_deliveries(const base::Uuid& webhook_id, std::string_view reason, base::Timestamp now) override {
    return writing(), webhooks_.cancel_deliveries(webhook_id, reason, now);
  }
  std::optional<domain::WebhookDelivery> find_webhook_delivery(const base::Uuid& id) override {
    return webhooks_.find_webhook_delivery(id);
  }
  std::vector<domain::WebhookDelivery> list_webhook_deliveries(const domain::DeliveryFilter& filter,
                                                               const domain::Page& page) override {
    return webhooks_.list_webhook_deliveries(filter, page);
  }
  void watch_expiry(base::Timestamp now) override { writing(), webhooks_.watch_expiry(now); }
  std::vector<domain::Invitation> take_expired_invitations(base::Timestamp now, std::uint32_t limit) override {
    return writing(), webhooks_.take_expired_invitations(now, limit);
  }

  std::vector<domain::CallAttempt> list_call_attempts(domain::CallKind kind, const base::Uuid& call_id) override {
    return calls_of(kind).list_call_attempts(call_id);
  }
  std::optional<domain::CallLease> claim_due_call(domain::CallKind kind, const domain::CallClaim& claim) override {
    return writing(), calls_of(kind).claim_due_call(claim, locks_);
  }
  bool finish_call_attempt(domain::CallKind kind, const domain::CallLease& lease, const domain::CallResult& result,
                           std::optional<base::Timestamp> next_attempt, base::Timestamp now) override {
    return writing(), calls_of(kind).finish_call_attempt(lease, result, next_attempt, now);
  }
  bool retry_call(domain::CallKind kind, const base::Uuid& id, base::Timestamp now) override {
    return writing(), calls_of(kind).retry_call(id, now);
  }

  domain::RateRecord find_rate(std::string_view subject) override {
    if (mode_ == Mode::reading) return records_.find_rate(subject);
    return memory_.rate(subject, [&] { return records_.find_rate(subject); });
  }
  void set_rate(std::string_view subject, const domain::RateRecord& record) override {
    writing(), memory_.set_rate(subject, record);
  }
  std::optional<domain::IdempotencyRecord> find_idempotency(const base::Uuid& environment_id,
                                                            std::string_view key) override {
    if (mode_ == Mode::writing) lock_name("idempotency", environment_id.to_string() + ' ' + std::string(key));
    return records_.find_idempotency(environment_id, key);
  }
  void insert(const domain::IdempotencyRecord& record) override { writing(), records_.insert(record); }
  void insert(const domain::AuditEvent& event) override { writing(), records_.insert(event); }
  std::vector<domain::AuditEvent> list_audit_events(const domain::Page& page) override {
    return records_.list_audit_events(page);
  }
  std::vector<domain::AuditEvent> list_audit_events_of(const base::Uuid& environment_id,
                                                       const domain::Page& page) override {
    return records_.list_audit_events_of(environment_id, page);
  }
  std::optional<domain::KeyBinding> find_key_binding() override { return incarnations_.find_key_binding(); }
  void set_key_binding(const domain::KeyBinding& binding) override {
    writing(), incarnations_.set_key_binding(binding);
  }
  std::vector<domain::Incarnation> list_incarnations() override { return incarnations_.list_incarnations(); }
  void set_incarnation(const domain::Incarnation& incarnation) override {
    writing(), incarnations_.set_incarnation(incarnation);
  }
  void erase_incarnations() override { writing(), incarnations_.erase_incarnations(); }
  void prune(base::Timestamp before) override { writing(), records_.prune(before), memory_.prune_rates(before); }

  domain::HistorySlice list_ended(domain::History history, std::string_view after, base::Timestamp before,
                                  std::uint32_t limit) override {
    return histories_.list_ended(history, after, before, limit);
  }
  std::uint64_t erase_ended(domain::History history, std::string_view after, std::string_view end,
                            base::Timestamp before) override {
    return writing(), histories_.erase_ended(history, after, end, before);
  }

 private:
  /// Before every write.
  void writing();
  /// Before every write of rows that the memory may hold.
  void changing() {
    writing();
    forget_rows();
  }

  void forget_rows() {
    memory_.forget_rows();
    ahead_.forget_accounts();
  }
  CallStatements& calls_of(domain::CallKind kind) {
    return kind == domain::CallKind::refresh ? refresh_calls_ : webhook_calls_;
  }
  void lock_name(std::string_view kind, std::string_view name) {
    if (mode_ == Mode::writing) locks_.lock_name(kind, name);
  }
  /// All that is decided about mails to a mailbox is decided by one instance after the other.
  void lock_mailbox_of(std::string_view email_key);

  Connection& connection_;
  const Mode mode_;
  bool uses_savepoints_ = true;
  bool has_written_ = false;  ///< the current unit of work
  bool has_savepoint_ = false;
  base::Timestamp began_{};
  BatchMemory memory_;
  LockStatements locks_;
  LookAhead ahead_;
  Statement savepoint_;
  Statement release_;
  Statement rollback_to_;
  AppStatements apps_;
  ApiTokenStatements tokens_;
  AccountStatements accounts_;
  InvitationStatements invitations_;
  OutboxStatements outbox_;
  DeliveryStatements deliveries_;
  PersonStatements people_;
  RefreshStatements refreshes_;
  CallStatements refresh_calls_;
  WebhookStatements webhooks_;
  CallStatements webhook_calls_;
  RecordStatements records_;
  HistoryStatements histories_;
  IncarnationStatements incarnations_;
};

}  // namespace invited::storage
