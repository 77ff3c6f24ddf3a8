// What Medusa's clients may ask about invites in the address: filters with operators, order, page, fields. Pure; does
// not know the store.
#pragma once

#include <expected>
#include <string>

#include "domain/invitation_query.h"
#include "domain/store.h"
#include "http/message.h"

namespace invited::http {

struct MedusaQuery {
  domain::InvitationCondition condition;  ///< of what is not deleted
  domain::InvitationField order = domain::InvitationField::created_at;
  bool descending = false;
  domain::Page page;
  std::string fields;
};

/// What is not understood is refused, in Medusa's words: "Invalid request: Unrecognized fields: 'foo'".
std::expected<MedusaQuery, std::string> parse_medusa_query(const Request& request);

/// Only `fields`, for what is not a list.
std::expected<std::string, std::string> parse_medusa_fields(const Request& request);

}  // namespace invited::http
