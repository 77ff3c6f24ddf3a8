#include "http/api/json_input.h"

namespace invited::http {

using domain::ErrorCode;

domain::Error to_error(const JsonProblem& problem) {
  return {ErrorCode::malformed_request, problem.to_string(), {}, {}};
}

domain::Error to_error(const FieldIssues& issues) {
  const FieldIssue& first = issues.front();
  const bool is_missing = first.kind == FieldIssue::Kind::missing || first.kind == FieldIssue::Kind::null;
  std::string message;
  for (const FieldIssue& issue : issues) message += (message.empty() ? "" : " ") + describe(issue);
  return {is_missing ? ErrorCode::missing_parameter : ErrorCode::invalid_parameter,
          std::move(message),
          first.dotted_path(),
          {}};
}

}  // namespace invited::http
