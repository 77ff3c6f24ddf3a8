// How things look in /api/v1: names in snake_case, times by RFC 3339, null for what is not there. Pure but for looking
// up what belongs to a thing. Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "domain/invitation_timeline.h"
#include "domain/manage_accounts.h"
#include "domain/policy.h"
#include "domain/related_rows.h"
#include "http/api/strict_json.h"

namespace invited::http::v1 {

Json to_json(const domain::Invitation& invitation, const domain::App& app, const domain::RelatedRows& related,
             base::Timestamp now);
Json to_json(const domain::TimelineEntry& entry);
Json to_json(const domain::Environment& environment, const domain::App& app, const domain::Policy& policy);
Json to_json(const domain::Role& role);
Json to_json(const domain::Account& account);
Json to_json(const domain::Account& account, const domain::Role& role);  ///< an access that was asked for
Json to_json(const domain::AccessEntry& entry);
Json to_json(const domain::AuditEvent& event);

}  // namespace invited::http::v1
