#include "storage/history_statements.h"

#include <charconv>
#include <limits>
#include <unordered_map>

#include "storage/call_rows.h"
#include "storage/invitation_row.h"
#include "storage/outbox_rows.h"
#include "storage/refresh_rows.h"
#include "storage/row_values.h"
#include "storage/webhook_rows.h"

namespace invited::storage {
namespace {

using domain::History;
using domain::HistorySlice;

// What has ended. The same words list and delete. Whatever comes to its end, or to life, between the two gets a point
// in time that is not before :before, so nothing is deleted that was not listed.

constexpr std::string_view kInvitationEnded =
    "(settled_at < :before OR (settled_at IS NULL AND expires_at < :before))"
    " AND NOT EXISTS (SELECT 1 FROM outbox_message WHERE outbox_message.invitation_id = invitation.id"
    " AND (finished_at IS NULL OR finished_at >= :before OR state = 'queued' OR state = 'quarantined'))";
constexpr std::string_view kMessageEnded = "finished_at < :before AND state <> 'queued' AND state <> 'quarantined'";
constexpr std::string_view kCallEnded = "finished_at < :before AND state <> 'queued'";

// Where in its table a slice lies.
constexpr std::string_view kById = "id > :after_id AND id <= :end_id";
constexpr std::string_view kBySlot =
    "invitation_id IS NULL AND (not_before, id) > (:after_number, :after_id)"
    " AND (not_before, id) <= (:end_number, :end_id)";

std::string all_of(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
}

/// A place in a table. Each uses what orders it: an id, a number, or both.
struct Position {
  Number number = std::numeric_limits<Number>::min();
  Text id = "00000000-0000-0000-0000-000000000000";

  void set(std::string_view text) {
    *this = {};
    if (text.empty()) return;
    const auto blank = text.find(' ');
    std::from_chars(text.data(), text.data() + text.size(), number);
    if (blank != std::string_view::npos) id = text.substr(blank + 1);
  }
  std::string get() const { return std::to_string(number) + ' ' + id; }
};

}  // namespace

struct HistoryStatements::Prepared {
  explicit Prepared(Connection& connection_in) : connection(connection_in) {}

  Connection& connection;
  Position after;
  Position end;
  Number before = 0;
  Number limit = 0;
  Number born_at = 0;
  Text locked_id;
  InvitationRow invitation;
  MessageRow message;
  AttemptRow attempt;
  RefreshCallRow call;
  DeliveryRow delivery;
  CallAttemptRow call_attempt;
  Number at = 0;
  Text actor, action, subject_id, detail;
  NullableText event_environment_id;

  /// The next things, whatever their state.
  Statement make_stretch(std::string_view sql) {
    Parameters parameters{{"limit", limit}};
    if (sql.find(":after_number") != std::string_view::npos) parameters.emplace_back("after_number", after.number);
    if (sql.find(":after_id") != std::string_view::npos) parameters.emplace_back("after_id", after.id);
    return {connection, sql, std::move(parameters), {&end.number, &end.id, &born_at}};
  }
  /// Of the stretch, what has ended.
  Statement make(const std::string& sql, Columns columns = {}) {
    Parameters parameters{{"before", before}};
    if (sql.find(":after_number") != std::string::npos) {
      parameters.emplace_back("after_number", after.number);
      parameters.emplace_back("end_number", end.number);
    }
    if (sql.find(":after_id") != std::string::npos) {
      parameters.emplace_back("after_id", after.id);
      parameters.emplace_back("end_id", end.id);
    }
    return {connection, sql, std::move(parameters), std::move(columns)};
  }
  Statement make_messages(std::string_view condition) {
    return make(all_of({kMessageColumns, "WHERE ", condition, " ORDER BY id"}), message.columns());
  }
  Statement make_attempts(std::string_view condition) {
    return make(
        all_of(
            {"SELECT message_id, number, started_at, finished_at, outcome, reply_code, stage, explanation FROM attempt"
             " WHERE message_id IN (SELECT id FROM outbox_message WHERE ",
             condition, ") ORDER BY message_id, number"}),
        {&attempt.message_id, &attempt.number, &attempt.started_at, &attempt.finished_at, &attempt.outcome,
         &attempt.reply_code, &attempt.stage, &attempt.explanation});
  }

  Statement make_call_attempts(std::string_view attempts, std::string_view calls) {
    return make(all_of({kCallAttemptColumns, attempts, " WHERE call_id IN (SELECT id FROM ", calls, " WHERE ", kById,
                        " AND ", kCallEnded, ") ORDER BY call_id, number"}),
                call_attempt.columns());
  }
  Statement make_erase_call_attempts(std::string_view attempts, std::string_view calls) {
    return make(all_of({"DELETE FROM ", attempts, " WHERE call_id IN (SELECT id FROM ", calls, " WHERE ", kById,
                        " AND ", kCallEnded, ")"}));
  }

  // --- invitations, with their mails ---
  const std::string ended_invitations = all_of({kById, " AND ", kInvitationEnded});
  const std::string their_messages =
      all_of({"invitation_id IN (SELECT id FROM invitation WHERE ", ended_invitations, ")"});
  Statement next_invitations =
      make_stretch("SELECT 0, id, created_at FROM invitation WHERE id > :after_id ORDER BY id LIMIT :limit");
  Statement list_invitations =
      make(all_of({kInvitationColumns, "WHERE ", ended_invitations, " ORDER BY id"}), invitation.columns());
  Statement list_invitation_messages = make_messages(their_messages);
  Statement list_invitation_attempts = make_attempts(their_messages);
  // First of all, as others do who change an invitation and its mails.
  Statement lock_invitations =
      make(all_of({"SELECT id FROM invitation WHERE ", ended_invitations, " ORDER BY id FOR UPDATE"}), {&locked_id});
  Statement erase_invitation_attempts = make(
      all_of({"DELETE FROM attempt WHERE message_id IN (SELECT id FROM outbox_message WHERE ", their_messages, ")"}));
  Statement erase_invitation_messages = make(all_of({"DELETE FROM outbox_message WHERE ", their_messages}));
  Statement erase_invitations = make(all_of({"DELETE FROM invitation WHERE ", ended_invitations}));

  // --- mails of no invitation: by their slot, as the index has them ---
  const std::string ended_mails = all_of({kBySlot, " AND ", kMessageEnded});
  Statement next_mails = make_stretch(
      "SELECT not_before, id, queued_at FROM outbox_message WHERE invitation_id IS NULL"
      " AND (not_before, id) > (:after_number, :after_id) ORDER BY not_before, id LIMIT :limit");
  Statement list_mails = make_messages(ended_mails);
  Statement list_mail_attempts = make_attempts(ended_mails);
  Statement erase_mail_attempts =
      make(all_of({"DELETE FROM attempt WHERE message_id IN (SELECT id FROM outbox_message WHERE ", ended_mails, ")"}));
  Statement erase_mails = make(all_of({"DELETE FROM outbox_message WHERE ", ended_mails}));

  // --- attempts: only where some are left, however many mails without lie between ---
  const std::string slice_of_attempts = "message_id > :after_id AND message_id <= :end_id";
  const std::string mails_with_attempts =
      all_of({"id IN (SELECT message_id FROM attempt WHERE ", slice_of_attempts, ") AND ", kMessageEnded});
  Statement next_attempts = make_stretch(
      "SELECT 0, message_id, MAX(started_at) FROM attempt WHERE message_id > :after_id GROUP BY message_id"
      " ORDER BY message_id LIMIT :limit");
  Statement list_tried_mails = make_messages(mails_with_attempts);
  Statement list_attempts = make_attempts(mails_with_attempts);
  Statement erase_attempts = make(
      all_of({"DELETE FROM attempt WHERE ", slice_of_attempts,
              " AND EXISTS (SELECT 1 FROM outbox_message WHERE id = attempt.message_id AND ", kMessageEnded, ")"}));

  // --- calls to apps, and to webhooks ---
  const std::string ended_calls = all_of({kById, " AND ", kCallEnded});
  Statement next_calls =
      make_stretch("SELECT 0, id, queued_at FROM refresh_call WHERE id > :after_id ORDER BY id LIMIT :limit");
  Statement list_calls = make(all_of({kRefreshCallColumns, "WHERE ", ended_calls, " ORDER BY id"}), call.columns());
  Statement list_call_attempts = make_call_attempts("refresh_attempt", "refresh_call");
  Statement erase_call_attempts = make_erase_call_attempts("refresh_attempt", "refresh_call");
  Statement erase_calls = make(all_of({"DELETE FROM refresh_call WHERE ", ended_calls}));
  Statement next_deliveries =
      make_stretch("SELECT 0, id, queued_at FROM webhook_delivery WHERE id > :after_id ORDER BY id LIMIT :limit");
  Statement list_deliveries =
      make(all_of({kDeliveryColumns, "WHERE ", ended_calls, " ORDER BY id"}), delivery.columns());
  Statement list_delivery_attempts = make_call_attempts("webhook_attempt", "webhook_delivery");
  Statement erase_delivery_attempts = make_erase_call_attempts("webhook_attempt", "webhook_delivery");
  Statement erase_deliveries = make(all_of({"DELETE FROM webhook_delivery WHERE ", ended_calls}));

  // --- audit events: SQLite's have no id ---
  const std::string ended_events =
      all_of({by_dialect(connection, "seq > :after_number AND seq <= :end_number", kById), " AND at < :before"});
  Statement next_events = make_stretch(
      by_dialect(connection, "SELECT seq, '', at FROM audit_event WHERE seq > :after_number ORDER BY seq LIMIT :limit",
                 "SELECT 0, id, at FROM audit_event WHERE id > :after_id ORDER BY id LIMIT :limit"));
  Statement list_events =
      make(all_of({"SELECT at, actor, action, subject_id, detail, environment_id FROM audit_event WHERE ", ended_events,
                   " ORDER BY ", row_order(connection)}),
           {&at, &actor, &action, &subject_id, &detail, &event_environment_id});
  Statement erase_events = make(all_of({"DELETE FROM audit_event WHERE ", ended_events}));

  Statement& next_of(History history) {
    switch (history) {
      case History::invitations:
        return next_invitations;
      case History::mails:
        return next_mails;
      case History::attempts:
        return next_attempts;
      case History::refresh_calls:
        return next_calls;
      case History::webhook_deliveries:
        return next_deliveries;
      case History::audit_events:
        return next_events;
    }
    return next_events;
  }

  void take_mails(Statement& messages, Statement& attempts, std::vector<domain::EndedMail>& mails) {
    messages.each([&] { mails.push_back({message.get(), {}}); });
    std::unordered_map<base::Uuid, domain::EndedMail*> by_id;
    for (auto& mail : mails) by_id.emplace(mail.message.id, &mail);
    attempts.each([&] {
      if (const auto mail = by_id.find(to_uuid(attempt.message_id)); mail != by_id.end())
        mail->second->attempts.push_back(attempt.get());
    });
  }

  void take_invitations(HistorySlice& slice) {
    std::unordered_map<base::Uuid, std::size_t> places;
    list_invitations.each([&] {
      slice.invitations.push_back({invitation.get(), {}});
      places.emplace(slice.invitations.back().invitation.id, slice.invitations.size() - 1);
    });
    std::vector<domain::EndedMail> mails;
    take_mails(list_invitation_messages, list_invitation_attempts, mails);
    for (auto& mail : mails) slice.invitations[places.at(mail.message.invitation_id)].mails.push_back(std::move(mail));
  }

  template <class Ended, class IdOf>
  void take_attempts(Statement& attempts, std::vector<Ended>& ended, IdOf id_of) {
    std::unordered_map<base::Uuid, Ended*> by_id;
    for (auto& one : ended) by_id.emplace(id_of(one), &one);
    attempts.each([&] {
      if (const auto one = by_id.find(to_uuid(call_attempt.call_id)); one != by_id.end())
        one->second->attempts.push_back(call_attempt.get());
    });
  }

  void take_calls(HistorySlice& slice) {
    list_calls.each([&] { slice.calls.push_back({call.get(), {}}); });
    take_attempts(list_call_attempts, slice.calls, [](const domain::EndedCall& ended) { return ended.call.id; });
  }

  void take_deliveries(HistorySlice& slice) {
    list_deliveries.each([&] { slice.deliveries.push_back({delivery.get(), {}}); });
    take_attempts(list_delivery_attempts, slice.deliveries,
                  [](const domain::EndedDelivery& ended) { return ended.delivery.id; });
  }
};

HistoryStatements::HistoryStatements(Connection& connection) : prepared_(std::make_unique<Prepared>(connection)) {}
HistoryStatements::~HistoryStatements() = default;

HistorySlice HistoryStatements::list_ended(History history, std::string_view after, base::Timestamp before,
                                           std::uint32_t limit) {
  Prepared& prepared = *prepared_;
  HistorySlice slice;
  prepared.after.set(after);
  prepared.end = prepared.after;
  prepared.before = to_number(before);
  prepared.limit = limit;
  std::uint32_t looked_at = 0;
  bool all_too_young = true;
  // After a clock that stood wrong for a while, ages are not quite in order: only a stretch without any that is old
  // enough tells that the rest is too young.
  prepared.next_of(history).each([&] {
    ++looked_at;
    all_too_young = all_too_young && prepared.born_at >= prepared.before;
  });
  slice.is_last = looked_at < limit || all_too_young;
  slice.end = prepared.end.get();
  if (all_too_young) return slice;

  switch (history) {
    case History::invitations:
      prepared.take_invitations(slice);
      break;
    case History::mails:
      prepared.take_mails(prepared.list_mails, prepared.list_mail_attempts, slice.mails);
      break;
    case History::attempts:
      prepared.take_mails(prepared.list_tried_mails, prepared.list_attempts, slice.mails);
      break;
    case History::refresh_calls:
      prepared.take_calls(slice);
      break;
    case History::webhook_deliveries:
      prepared.take_deliveries(slice);
      break;
    case History::audit_events:
      prepared.list_events.each([&] {
        slice.events.push_back({to_time(prepared.at), prepared.actor, prepared.action, to_uuid(prepared.subject_id),
                                prepared.detail, to_uuid(prepared.event_environment_id)});
      });
      break;
  }
  return slice;
}

std::uint64_t HistoryStatements::erase_ended(History history, std::string_view after, std::string_view end,
                                             base::Timestamp before) {
  Prepared& prepared = *prepared_;
  prepared.after.set(after);
  prepared.end.set(end);
  prepared.before = to_number(before);
  const auto run = [](Statement& statement) { return static_cast<std::uint64_t>(statement.run()); };
  switch (history) {
    case History::invitations:
      if (prepared.connection.dialect() == Dialect::postgresql) prepared.lock_invitations.each([] {});
      run(prepared.erase_invitation_attempts);
      run(prepared.erase_invitation_messages);
      return run(prepared.erase_invitations);
    case History::mails:
      run(prepared.erase_mail_attempts);
      return run(prepared.erase_mails);
    case History::attempts:
      return run(prepared.erase_attempts);
    case History::refresh_calls:
      run(prepared.erase_call_attempts);
      return run(prepared.erase_calls);
    case History::webhook_deliveries:
      run(prepared.erase_delivery_attempts);
      return run(prepared.erase_deliveries);
    case History::audit_events:
      return run(prepared.erase_events);
  }
  return 0;
}

}  // namespace invited::storage
