#include "storage/invitation_statements.h"

#include <map>
#include <utility>

#include "storage/invitation_row.h"

namespace invited::storage {
namespace {

using domain::InvitationState;

// The state as of :now; an empty :state means all. For lists that are short anyway.
constexpr std::string_view kOfState =
    "(:state = '' OR :state = CASE WHEN state = 'pending' AND expires_at <= :now THEN 'expired' ELSE state END)";

}  // namespace

struct InvitationStatements::Prepared {
  explicit Prepared(Connection& connection_in) : connection(connection_in) {}

  Connection& connection;
  InvitationRow row;
  Text state_filter;
  Number now = 0;
  Number limit = 0;
  Number offset = 0;
  Number reach = 0;  ///< limit + offset
  std::map<std::pair<InvitationState, bool>, std::unique_ptr<Statement>> lists_in_state;

  Statement make_find_pending(const std::string& end) {
    return {
        connection,
        std::string(kInvitationColumns) + "WHERE " + of_mailbox(connection) +
            " AND invitee_key = :invitee_key AND environment_id = :environment_id AND" +
            // As in the index invitation_by_invitee.
            std::string(by_dialect(
                connection,
                " (CASE WHEN state = 'pending' THEN invitee_digest END) = digest(16, :environment_id, :invitee_key)",
                " (CASE WHEN state = 'pending' THEN 1 END) = 1")) +
            end,
        {{"mailbox", row.mailbox}, {"invitee_key", row.invitee_key}, {"environment_id", row.environment_id}},
        row.columns()};
  }

  // Filters that are not asked for are left out, so that each list finds its index.
  Statement make_list(std::string_view conditions, Parameters parameters, std::string_view order) {
    for (const Parameter& parameter :
         Parameters{{"state", state_filter}, {"now", now}, {"limit", limit}, {"offset", offset}})
      parameters.push_back(parameter);
    return {connection,
            std::string(kInvitationColumns) + "WHERE " + std::string(conditions) + std::string(kOfState) +
                " ORDER BY " + std::string(order) + " LIMIT :limit OFFSET :offset",
            std::move(parameters), row.columns()};
  }

  /// What is in a state, of all environments or of one, those last sent first: their expiry is in the indexes. The
  /// words are in the text, not bound: only so does the partial index serve.
  Statement& list_in_state(InvitationState state, bool of_environment) {
    auto& list = lists_in_state[{state, of_environment}];
    if (list) return *list;
    const std::string row_key = row_order(connection);
    const std::string order = " ORDER BY expires_at DESC, " + row_key + " DESC";
    const std::string of = of_environment ? "environment_id = :environment_id AND " : "";
    std::string where = of + "state = '" + std::string(domain::to_string(state)) + "'";
    if (state == InvitationState::pending) where += " AND expires_at > :now";
    if (state == InvitationState::expired) {
      // Stored so, or pending and over: the first of both, found apart.
      const auto first_of = [&](const std::string& condition, const std::string& name) {
        return "SELECT " + row_key + " FROM (SELECT " + row_key + " FROM invitation WHERE " + of + condition + order +
               " LIMIT :reach) AS " + name;
      };
      where = row_key + " IN (" + first_of("state = 'expired'", "stored") + " UNION ALL " +
              first_of("state = 'pending' AND expires_at <= :now", "over") + ")";
    }
    Parameters parameters{{"limit", limit}, {"offset", offset}};
    if (of_environment) parameters.emplace_back("environment_id", row.environment_id);
    if (state == InvitationState::pending || state == InvitationState::expired) parameters.emplace_back("now", now);
    if (state == InvitationState::expired) parameters.emplace_back("reach", reach);
    list = std::make_unique<Statement>(
        connection, std::string(kInvitationColumns) + "WHERE " + where + order + " LIMIT :limit OFFSET :offset",
        std::move(parameters), row.columns());
    return *list;
  }

  Statement insert{
      connection,
      "INSERT INTO invitation (id, environment_id, role_id, inviter_id, invitee, invitee_key, mailbox, state,"
      " generation, created_at, sent_at, expires_at, settled_at, updated_at, more_role_ids, metadata, redirect_url,"
      " lifetime_seconds, token_id" +
          std::string(by_dialect(connection, ", mailbox_digest, invitee_digest", "")) +
          ") VALUES (:id, :environment_id, :role_id, :inviter_id, :invitee, :invitee_key, :mailbox, :state,"
          " :generation, :created_at, :sent_at, :expires_at, :settled_at, :updated_at, :more_role_ids, :metadata,"
          " :redirect_url, :lifetime_seconds, :token_id" +
          std::string(by_dialect(connection, ", digest(8, :mailbox), digest(16, :environment_id, :invitee_key)", "")) +
          ")",
      {{"id", row.id},
       {"environment_id", row.environment_id},
       {"role_id", row.role_id},
       {"inviter_id", row.inviter_id},
       {"invitee", row.invitee},
       {"invitee_key", row.invitee_key},
       {"mailbox", row.mailbox},
       {"state", row.state},
       {"generation", row.generation},
       {"created_at", row.created_at},
       {"sent_at", row.sent_at},
       {"expires_at", row.expires_at},
       {"settled_at", row.settled_at},
       {"updated_at", row.updated_at},
       {"more_role_ids", row.more_role_ids},
       {"metadata", row.metadata},
       {"redirect_url", row.redirect_url},
       {"lifetime_seconds", row.lifetime_seconds},
       {"token_id", row.token_id}}};
  Statement update{connection,
                   "UPDATE invitation SET role_id = :role_id, inviter_id = :inviter_id, state = :state,"
                   " generation = :generation, sent_at = :sent_at, expires_at = :expires_at,"
                   " settled_at = :settled_at, updated_at = :updated_at, more_role_ids = :more_role_ids,"
                   " metadata = :metadata, redirect_url = :redirect_url, lifetime_seconds = :lifetime_seconds,"
                   " token_id = :token_id WHERE id = :id",
                   {{"role_id", row.role_id},
                    {"inviter_id", row.inviter_id},
                    {"state", row.state},
                    {"generation", row.generation},
                    {"sent_at", row.sent_at},
                    {"expires_at", row.expires_at},
                    {"settled_at", row.settled_at},
                    {"updated_at", row.updated_at},
                    {"more_role_ids", row.more_role_ids},
                    {"metadata", row.metadata},
                    {"redirect_url", row.redirect_url},
                    {"lifetime_seconds", row.lifetime_seconds},
                    {"token_id", row.token_id},
                    {"id", row.id}}};
  Statement find{connection, std::string(kInvitationColumns) + "WHERE id = :id", {{"id", row.id}}, row.columns()};
  Statement find_and_lock{connection,
                          std::string(kInvitationColumns) + "WHERE id = :id" + lock_clause(connection),
                          {{"id", row.id}},
                          row.columns()};
  Statement find_pending = make_find_pending("");
  Statement find_and_lock_pending = make_find_pending(lock_clause(connection));
  std::string newest_first = row_order(connection) + " DESC";
  ListBy by_environment = list_by(connection, "environment_id", " DESC");
  Statement list_all = make_list("", {}, newest_first);
  Statement list_of_environment =
      make_list(by_environment.condition + " AND ", {{"environment_id", row.environment_id}}, by_environment.order);
  Statement list_of_invitee = make_list(of_mailbox(connection) + " AND invitee_key = :invitee_key AND ",
                                        {{"mailbox", row.mailbox}, {"invitee_key", row.invitee_key}}, newest_first);
  Statement list_of_both =
      // SQLite's planner is not to walk all invitations of the environment, which come in the right order.
      make_list(of_mailbox(connection) + " AND invitee_key = :invitee_key AND " +
                    std::string(by_dialect(connection, "+", "")) + "environment_id = :environment_id AND ",
                {{"mailbox", row.mailbox}, {"invitee_key", row.invitee_key}, {"environment_id", row.environment_id}},
                newest_first);
};

InvitationStatements::InvitationStatements(Connection& connection)
    : prepared_(std::make_unique<Prepared>(connection)) {}
InvitationStatements::~InvitationStatements() = default;

void InvitationStatements::insert(const domain::Invitation& invitation) {
  prepared_->row.set(invitation);
  prepared_->insert.execute();
}

void InvitationStatements::update(const domain::Invitation& invitation) {
  prepared_->row.set(invitation);
  prepared_->update.execute();
}

std::optional<domain::Invitation> InvitationStatements::find_invitation(const base::Uuid& id, bool lock) {
  prepared_->row.id = id.to_string();
  if (!(lock ? prepared_->find_and_lock : prepared_->find).find()) return std::nullopt;
  return prepared_->row.get();
}

std::optional<domain::Invitation> InvitationStatements::find_pending_invitation(const base::Uuid& environment_id,
                                                                                std::string_view invitee_key,
                                                                                bool lock) {
  prepared_->row.environment_id = environment_id.to_string();
  if (!prepared_->row.set_invitee(invitee_key)) return std::nullopt;
  if (!(lock ? prepared_->find_and_lock_pending : prepared_->find_pending).find()) return std::nullopt;
  return prepared_->row.get();
}

std::vector<domain::Invitation> InvitationStatements::list_invitations(const domain::InvitationFilter& filter,
                                                                       const domain::Page& page) {
  Prepared& prepared = *prepared_;
  if (filter.environment_id) prepared.row.environment_id = filter.environment_id->to_string();
  if (filter.invitee_key && !prepared.row.set_invitee(*filter.invitee_key)) return {};
  prepared.state_filter = filter.state ? domain::to_string(*filter.state) : std::string_view();
  prepared.now = to_number(filter.now);
  prepared.limit = page.limit;
  prepared.offset = page.offset;
  prepared.reach = prepared.limit + prepared.offset;

  // What is common in an environment is soon found among its newest.
  const bool is_common = filter.state == InvitationState::pending || filter.state == InvitationState::accepted;
  const bool in_state_only = filter.state && !filter.invitee_key && !(filter.environment_id && is_common);
  Statement& list = in_state_only ? prepared.list_in_state(*filter.state, filter.environment_id.has_value())
                    : filter.environment_id && filter.invitee_key ? prepared.list_of_both
                    : filter.environment_id                       ? prepared.list_of_environment
                    : filter.invitee_key                          ? prepared.list_of_invitee
                                                                  : prepared.list_all;
  std::vector<domain::Invitation> invitations;
  list.each([&] { invitations.push_back(prepared.row.get()); });
  return invitations;
}

}  // namespace invited::storage
