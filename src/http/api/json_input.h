// From a request's body to a dialect's input struct, for dialects without words of their own for what is wrong with it:
// problems and issues become an Error. Thread-safe.
//
//   const auto input = read_json_object(request, [](ObjectReader& body) {
//     return Input{.email = body.required<std::string>("email")};
//   });
#pragma once

#include <type_traits>
#include <utility>

#include "domain/error.h"
#include "http/api/object_reader.h"
#include "http/api/strict_json.h"
#include "http/message.h"

namespace invited::http {

/// malformed_request, with the place.
domain::Error to_error(const JsonProblem& problem);

/// All of them in one message; the code and the parameter are the first one's: missing_parameter where it is absent or
/// null, else invalid_parameter. There must be one.
domain::Error to_error(const FieldIssues& issues);

/// What `read` makes of the body's members. Errors of both.
template <class Read>
auto read_json_object(const Request& request, Read read) -> domain::Result<std::invoke_result_t<Read, ObjectReader&>> {
  const auto json = parse_json(request.body);
  if (!json) return std::unexpected(to_error(json.error()));
  FieldIssues issues;
  ObjectReader body(*json, issues);
  auto input = read(body);
  if (!issues.empty()) return std::unexpected(to_error(issues));
  return input;
}

}  // namespace invited::http
