// What JSON clients may ask about an environment's invitations: conditions, order, and how far they have read. A plain
// value; storage makes one statement of it, with every value bound.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/uuid.h"
#include "domain/invitation.h"

namespace invited::domain {

enum class InvitationField {
  id,
  email,
  state,         ///< as of the query's `now`
  stored_state,  ///< as stored: `pending` also where it is over but nobody invited anew
  created_at,
  updated_at,
  expires_at,
};

enum class Comparison { equal, less, less_or_equal, greater, greater_or_equal, like };

struct InvitationCondition {
  enum class Kind {
    all,      ///< of `parts`; true where there are none
    any,      ///< of `parts`; false where there are none
    none,     ///< of `parts`
    compare,  ///< `field` with `value`
  };
  using Value = std::variant<base::Uuid, std::string, InvitationState, base::Timestamp>;

  Kind kind = Kind::all;
  std::vector<InvitationCondition> parts{};
  InvitationField field = InvitationField::email;
  Comparison comparison = Comparison::equal;
  /// Of the field's type. email: an address in lower case (EmailAddress::key); with `like`, a pattern with % and _, and
  /// \ before those that stand for themselves. The states: only `equal`.
  Value value{};

  static InvitationCondition compare(InvitationField field, Comparison comparison, Value value) {
    return {Kind::compare, {}, field, comparison, std::move(value)};
  }
  static InvitationCondition of(Kind kind, std::vector<InvitationCondition> parts) {
    return {kind, std::move(parts), {}, {}, {}};
  }
};

struct InvitationQuery {
  base::Uuid environment_id;
  base::Timestamp now;  ///< for telling pending from expired
  InvitationCondition condition{};
  /// Ties are ordered as the invitations were made.
  InvitationField order = InvitationField::created_at;
  bool descending = true;
  /// With the order by created_at: only what comes behind this one.
  std::optional<base::Uuid> after{};
  /// Without those whose invitee has access to the environment already.
  bool only_newcomers = false;
};

}  // namespace invited::domain
