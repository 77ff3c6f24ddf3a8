#include "domain/error.h"

namespace invited::domain {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::malformed_request:
      return "malformed_request";
    case ErrorCode::authentication_failed:
      return "authentication_failed";
    case ErrorCode::missing_parameter:
      return "missing_parameter";
    case ErrorCode::invalid_email_address:
      return "invalid_email_address";
    case ErrorCode::invalid_parameter:
      return "invalid_parameter";
    case ErrorCode::inviter_without_access:
      return "inviter_without_access";
    case ErrorCode::unknown_role:
      return "unknown_role";
    case ErrorCode::role_not_allowed:
      return "role_not_allowed";
    case ErrorCode::not_allowed:
      return "not_allowed";
    case ErrorCode::unknown_person:
      return "unknown_person";
    case ErrorCode::idempotency_mismatch:
      return "idempotency_mismatch";
    case ErrorCode::rate_limited:
      return "rate_limited";
    case ErrorCode::unavailable:
      return "unavailable";
    case ErrorCode::outcome_unknown:
      return "outcome_unknown";
    case ErrorCode::precondition_failed:
      return "precondition_failed";
    case ErrorCode::link_not_valid:
      return "link_not_valid";
    case ErrorCode::sign_in_failed:
      return "sign_in_failed";
    case ErrorCode::already_exists:
      return "already_exists";
    case ErrorCode::not_found:
      return "not_found";
  }
  return "unavailable";
}

}  // namespace invited::domain
