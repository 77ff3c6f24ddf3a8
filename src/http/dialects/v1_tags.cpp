#include "http/dialects/v1_tags.h"

#include "http/api/json_answer.h"

namespace invited::http::v1 {
namespace {

/// Takes the second half off every tag in the list. Base64url has no dot.
std::string first_halves(std::string_view list) {
  std::string halves;
  bool skips = false;
  for (const char c : list) {
    if (c == '.') skips = true;
    if (c == '"') skips = false;
    if (!skips) halves += c;
  }
  return halves;
}

}  // namespace

std::string tag_of(const Json& invitation) {
  return entity_tag(invitation.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string tag_of(const Json& invitation, const Json& timeline) {
  std::string tag = tag_of(invitation);
  tag.back() = '.';
  return tag + tag_of(timeline).substr(1);
}

bool allows_change(const Request& request, const Json& invitation) {
  Request condition;
  for (const auto& [name, value] : request.headers.all())
    if (equals_ignoring_case(name, "If-Match")) condition.headers.add(name, first_halves(value));
  return if_match_holds(condition, tag_of(invitation));
}

}  // namespace invited::http::v1
