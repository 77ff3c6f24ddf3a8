#include "storage/invitation_query_statement.h"

#include <deque>
#include <string>

#include "storage/invitation_row.h"

namespace invited::storage {
namespace {

using domain::Comparison;
using domain::InvitationCondition;
using domain::InvitationField;
using domain::InvitationQuery;

/// What stands for a field in SQL.
std::string expression_of(InvitationField field) {
  switch (field) {
    case InvitationField::id:
      return "id";
    case InvitationField::email:
      return "invitee_key";
    case InvitationField::state:
      return "(CASE WHEN state = 'pending' AND expires_at <= :now THEN 'expired' ELSE state END)";
    case InvitationField::stored_state:
      return "state";
    case InvitationField::created_at:
      return "created_at";
    case InvitationField::updated_at:
      return "COALESCE(updated_at, settled_at, sent_at)";
    case InvitationField::expires_at:
      return "expires_at";
  }
  return "id";
}

std::string_view operator_of(Comparison comparison) {
  switch (comparison) {
    case Comparison::equal:
      return " = ";
    case Comparison::less:
      return " < ";
    case Comparison::less_or_equal:
      return " <= ";
    case Comparison::greater:
      return " > ";
    case Comparison::greater_or_equal:
      return " >= ";
    case Comparison::like:
      return " LIKE ";
  }
  return " = ";
}

bool ends_within_escape(std::string_view pattern) {
  const std::size_t last = pattern.find_last_not_of('\\');
  return (pattern.size() - (last == std::string_view::npos ? 0 : last + 1)) % 2 == 1;
}

/// Collects the conditions' text and the variables that hold their values.
class Builder {
 public:
  Builder(Connection& connection, const InvitationQuery& query)
      : list_(list_by(connection, "environment_id", query.descending ? " DESC" : " ASC")) {
    environment_id_ = query.environment_id.to_string();
    now_ = to_number(query.now);
    where_ = list_.condition + " AND " + text_of(query.condition);
    if (query.after) {
      after_ = query.after->to_string();
      parameters_.emplace_back("after", after_);
      const std::string_view beyond = query.descending ? " < " : " > ";
      // As the index has it, so that a page far down is not searched for from the first one on.
      where_ += by_dialect(connection, " AND seq", " AND (environment_id, id)");
      where_ += beyond;
      where_ += by_dialect(connection, "(SELECT seq FROM invitation WHERE id = :after)",
                           "(:environment_id, (SELECT id FROM invitation WHERE id = :after))");
    }
    if (query.only_newcomers)
      where_ +=
          " AND NOT EXISTS (SELECT 1 FROM account JOIN access ON access.account_id = account.id"
          " WHERE account.email_key = invitation.invitee_key AND access.environment_id = :environment_id)";
    parameters_.emplace_back("environment_id", environment_id_);
    if (where_.find(":now") != std::string::npos) parameters_.emplace_back("now", now_);
  }

  const std::string& where() const { return where_; }
  /// The rows' own order is that of created_at, and the index of the environment has it.
  const std::string& row_order_of_environment() const { return list_.order; }
  const Parameters& parameters() const { return parameters_; }

 private:
  std::string text_of(const InvitationCondition& condition) {
    using Kind = InvitationCondition::Kind;
    if (condition.kind == Kind::compare) return comparison(condition);
    if (condition.parts.empty()) return condition.kind == Kind::any ? "1 = 0" : "1 = 1";
    std::string text = condition.kind == Kind::none ? "NOT (" : "(";
    for (std::size_t i = 0; i < condition.parts.size(); ++i) {
      if (i > 0) text += condition.kind == Kind::all ? " AND " : " OR ";
      text += text_of(condition.parts[i]);
    }
    return text + ")";
  }

  std::string comparison(const InvitationCondition& condition) {
    // Where the last character stands for the next one there is nothing to compare with: one engine finds nothing, the
    // other gives up.
    if (condition.comparison == Comparison::like && ends_within_escape(std::get<std::string>(condition.value)))
      return "1 = 0";
    std::string text = expression_of(condition.field) + std::string(operator_of(condition.comparison));
    text += bind(condition.value);
    if (condition.comparison == Comparison::like) text += " ESCAPE '\\'";
    return text;
  }

  std::string bind(const InvitationCondition::Value& value) {
    const std::string name = "v" + std::to_string(texts_.size() + numbers_.size());
    if (const auto* time = std::get_if<base::Timestamp>(&value)) {
      parameters_.emplace_back(name, numbers_.emplace_back(to_number(*time)));
      return "CAST(:" + name + " AS BIGINT)";
    }
    Text& text = texts_.emplace_back();
    parameters_.emplace_back(name, text);
    if (const auto* id = std::get_if<base::Uuid>(&value)) {
      text = id->to_string();
      return ":" + name;
    }
    if (const auto* state = std::get_if<domain::InvitationState>(&value))
      text = domain::to_string(*state);
    else
      text = std::get<std::string>(value);
    return "CAST(:" + name + " AS TEXT)";
  }

  ListBy list_;
  Text environment_id_, after_;
  Number now_ = 0;
  std::deque<Text> texts_;  // which keep their places
  std::deque<Number> numbers_;
  std::string where_;
  Parameters parameters_;
};

}  // namespace

std::vector<domain::Invitation> query_invitations(Connection& connection, const InvitationQuery& query,
                                                  const domain::Page& page) {
  const Builder builder(connection, query);
  Number limit = page.limit;
  Number offset = page.offset;
  Parameters parameters = builder.parameters();
  parameters.emplace_back("limit", limit);
  parameters.emplace_back("offset", offset);
  std::string order = builder.row_order_of_environment();
  if (query.order != InvitationField::created_at)
    order.insert(0, expression_of(query.order) + (query.descending ? " DESC, " : " ASC, "));
  if (order.find(":now") != std::string::npos) throw domain::StorageFailure("no order by state");

  InvitationRow row;
  std::vector<domain::Invitation> invitations;
  Statement(connection,
            std::string(kInvitationColumns) + "WHERE " + builder.where() + " ORDER BY " + order +
                " LIMIT :limit OFFSET :offset",
            parameters, row.columns())
      .each([&] { invitations.push_back(row.get()); });
  return invitations;
}

std::uint64_t count_invitations(Connection& connection, const InvitationQuery& query) {
  const Builder builder(connection, query);
  Number count = 0;
  Statement(connection, "SELECT COUNT(*) FROM invitation WHERE " + builder.where(), builder.parameters(), {&count})
      .find();
  return static_cast<std::uint64_t>(count);
}

}  // namespace invited::storage
