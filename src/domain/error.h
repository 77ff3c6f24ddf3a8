// Why something was refused, as a value: a closed list of codes about what the caller can do, and a sentence for
// people. Each dialect maps the codes in one function (soap/fault.cpp, http pages, admin); a contract test walks
// every code through every mapping. Exceptions are only for what nobody here can handle. A value; thread-safe.
#pragma once

#include <array>
#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace invited::domain {

enum class ErrorCode {
  malformed_request,       ///< the bytes are not a request that we understand; nothing was looked at
  authentication_failed,   ///< environment unknown, password wrong, or environment disabled: never told apart
  missing_parameter,       ///< `parameter` is absent or blank
  invalid_email_address,   ///< `parameter` is not an address that we send to
  invalid_parameter,       ///< `parameter` has a value that it may not have (name, password, language, URL, …)
  inviter_without_access,  ///< the inviter has no access to the environment's app
  unknown_role,            ///< the role is not one of this app's
  role_not_allowed,        ///< the caller, or the inviter, may not grant that role
  not_allowed,             ///< the caller may not do that at all
  unknown_person,          ///< nobody with that OpenID has access to the environment
  idempotency_mismatch,    ///< the Idempotency-Key was used before for a different call
  rate_limited,            ///< too many; `retry_after` says when again
  unavailable,             ///< busy, short of disk, or draining: nothing was stored, call again
  outcome_unknown,         ///< the commit's outcome is unknown: calling again is safe
  precondition_failed,     ///< it was changed since the caller looked at it
  link_not_valid,          ///< the token is wrong, superseded, or its invitation no longer pending
  sign_in_failed,          ///< address or password wrong: never told apart
  already_exists,          ///< an operator adds what is there
  not_found,               ///< an operator names what is not there
};

inline constexpr std::array kErrorCodes{
    ErrorCode::malformed_request,
    ErrorCode::authentication_failed,
    ErrorCode::missing_parameter,
    ErrorCode::invalid_email_address,
    ErrorCode::invalid_parameter,
    ErrorCode::inviter_without_access,
    ErrorCode::unknown_role,
    ErrorCode::role_not_allowed,
    ErrorCode::not_allowed,
    ErrorCode::unknown_person,
    ErrorCode::idempotency_mismatch,
    ErrorCode::rate_limited,
    ErrorCode::unavailable,
    ErrorCode::outcome_unknown,
    ErrorCode::precondition_failed,
    ErrorCode::link_not_valid,
    ErrorCode::sign_in_failed,
    ErrorCode::already_exists,
    ErrorCode::not_found,
};

/// The stable text of a code, as it stands in faults and JSON: "inviter_without_access".
std::string_view to_string(ErrorCode code);

struct Error {
  ErrorCode code;
  std::string message;    ///< one plain English sentence: what happened and what to do next; never a secret
  std::string parameter;  ///< the contract's name of the parameter concerned, or empty
  std::optional<std::chrono::seconds> retry_after;  ///< with rate_limited and unavailable
};

template <class T>
using Result = std::expected<T, Error>;

/// `return refuse(ErrorCode::…, "…");`
inline std::unexpected<Error> refuse(ErrorCode code, std::string message, std::string parameter = {},
                                     std::optional<std::chrono::seconds> retry_after = std::nullopt) {
  return std::unexpected(Error{code, std::move(message), std::move(parameter), retry_after});
}

}  // namespace invited::domain
