#include "http/dialects/v1_input.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <type_traits>
#include <utility>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/utf8.h"
#include "domain/like_pattern.h"
#include "http/api/json_answer.h"
#include "http/api/query_string.h"

namespace invited::http::v1 {
namespace {

using domain::ErrorCode;
using domain::InvitationCondition;
using domain::InvitationField;

constexpr std::uint32_t kMostSkipped = 10'000'000;

BadInput bad_parameter(std::string_view name, std::string detail) {
  return {400, ErrorCode::invalid_parameter, {{{}, std::string(name), std::move(detail)}}};
}

std::string pointer_of(const std::vector<std::string>& path) {
  std::string pointer = "#";
  for (const std::string& segment : path) {
    pointer += '/';
    for (const char c : segment) pointer += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  }
  return pointer;
}

/// The body, and what was found wrong with its members.
class Body {
 public:
  static Input<Body> read(const Request& request, bool may_be_empty = false) {
    if (request.has_query && !request.query.empty())
      return std::unexpected(bad_parameter("", "This call takes no query string."));
    if (may_be_empty && request.body.empty()) return Body(Json::object());
    // What may come without a body may come without a Content-Type, so it is looked at only here.
    if (may_be_empty && !is_json(request.headers.get("Content-Type")))
      return std::unexpected(BadInput{415, ErrorCode::malformed_request, {{"#", {}, "The body must be JSON."}}});
    auto json = parse_json(request.body);
    if (!json)
      return std::unexpected(
          BadInput{400,
                   ErrorCode::malformed_request,
                   {{"#" + json.error().pointer,
                     {},
                     json.error().message + " (byte " + std::to_string(json.error().offset) + ")"}}});
    return Body(*std::move(json));
  }

  const Json& json() const { return json_; }
  FieldIssues& issues() { return issues_; }
  void add(std::vector<std::string> path, std::string detail) {
    others_.push_back({pointer_of(path), {}, std::move(detail)});
  }

  /// `value`, unless something is wrong.
  template <class T>
  Input<T> finish(T value) const {
    BadInput input;
    for (const FieldIssue& issue : issues_) {
      if (input.issues.empty() && issue.kind == FieldIssue::Kind::missing) input.code = ErrorCode::missing_parameter;
      input.issues.push_back({pointer_of(issue.path), {}, describe(issue)});
    }
    input.issues.insert(input.issues.end(), others_.begin(), others_.end());
    if (!input.issues.empty()) return std::unexpected(std::move(input));
    return value;
  }

 private:
  explicit Body(Json json) : json_(std::move(json)) {}

  static bool is_json(std::string_view type) {
    return equals_ignoring_case(base::trim(type.substr(0, type.find(';'))), "application/json");
  }

  Json json_;
  FieldIssues issues_;
  std::vector<BadInput::Issue> others_;
};

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

domain::BulkItem read_item(const Json& json, Body& body, const std::vector<std::string>& path) {
  ObjectReader reader(json, body.issues(), path);
  domain::BulkItem item;
  item.text.email = reader.required<std::string>("email");
  item.roles = reader.required<std::vector<std::string>>("roles");
  if (const auto metadata = reader.nullable<Json>("metadata")) item.text.metadata = text_of(*metadata);
  item.text.redirect_url = reader.nullable<std::string>("redirect_url").value_or("");
  if (const auto seconds = reader.nullable<std::int64_t>("expires_in")) {
    // 0 would mean the service's own lifetime further in.
    item.text.lifetime = std::chrono::seconds(*seconds == 0 ? -1 : *seconds);
  }
  item.text.send = reader.optional<bool>("send").value_or(true);
  reader.refuse_others();
  return item;
}

/// The fields of a query string, each of them once and none but those that are asked for.
class Query {
 public:
  static Input<Query> read(const Request& request, std::initializer_list<std::string_view> names) {
    auto fields = parse_query(request.query);
    if (!fields) return std::unexpected(bad_parameter("", std::move(fields.error())));
    BadInput input;
    for (const auto& [name, value] : *fields) {
      const auto same = [&name](const auto& field) { return field.first == name; };
      if (std::ranges::find(names, std::string_view(name)) == names.end())
        input.issues.push_back({{}, name, "There is no such parameter here."});
      else if (std::ranges::count_if(*fields, same) > 1)
        input.issues.push_back({{}, name, "The parameter comes more than once."});
    }
    if (!input.issues.empty()) return std::unexpected(std::move(input));
    return Query(*std::move(fields));
  }

  std::optional<std::string> find(std::string_view name) const {
    const auto field = std::ranges::find_if(fields_, [name](const auto& f) { return f.first == name; });
    return field == fields_.end() ? std::nullopt : std::optional(field->second);
  }

 private:
  explicit Query(QueryFields fields) : fields_(std::move(fields)) {}
  QueryFields fields_;
};

std::optional<std::uint32_t> parse_number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Input<std::uint32_t> read_limit(const Query& query) {
  const auto text = query.find("limit");
  if (!text) return kDefaultLimit;
  const auto limit = parse_number(*text);
  if (limit && *limit >= 1 && *limit <= kMaxLimit) return *limit;
  return std::unexpected(bad_parameter("limit", "The limit is a number from 1 to " + std::to_string(kMaxLimit) + "."));
}

BadInput bad_cursor() {
  return bad_parameter("cursor", "This is no cursor of this list: take it from an answer's \"next\", or begin anew.");
}

/// What cursor_behind made of it; nothing where it is none of that list.
template <class Position>
std::optional<Position> parse_cursor(std::string_view cursor) {
  const auto bytes = base::from_base64url(cursor);
  if (!bytes) return std::nullopt;
  if constexpr (std::is_same_v<Position, base::Uuid>) {
    return base::Uuid::from_bytes(*bytes);
  } else if constexpr (std::is_same_v<Position, domain::Access>) {
    constexpr std::size_t kId = 16;
    if (bytes->size() <= 2 * kId) return std::nullopt;
    const std::string_view parts = *bytes;
    const auto account = base::Uuid::from_bytes(parts.substr(0, kId));
    const auto role = base::Uuid::from_bytes(parts.substr(kId, kId));
    const std::string_view time = parts.substr(2 * kId);
    std::int64_t granted_at = 0;
    const auto [end, error] = std::from_chars(time.data(), time.data() + time.size(), granted_at);
    if (!account || !role || error != std::errc() || end != time.data() + time.size()) return std::nullopt;
    return domain::Access{*account, {}, *role, base::Timestamp(std::chrono::milliseconds(granted_at))};
  } else {
    const auto offset = parse_number(*bytes);
    return offset && *offset <= kMostSkipped ? offset : std::nullopt;
  }
}

std::optional<domain::Comparison> comparison_of(std::string_view name) {
  if (name == "created_after") return domain::Comparison::greater;
  if (name == "created_before") return domain::Comparison::less;
  return std::nullopt;
}

/// What one parameter asks of an invitation.
Input<InvitationCondition> condition_of(std::string_view name, const std::string& value) {
  if (name == "state") {
    const auto state = domain::parse_invitation_state(value);
    if (!state)
      return std::unexpected(bad_parameter(name, "The state is pending, accepted, declined, revoked or expired."));
    return InvitationCondition::compare(InvitationField::state, domain::Comparison::equal, *state);
  }
  if (name == "email") {
    const auto email = domain::EmailAddress::parse(value);
    if (!email) return std::unexpected(bad_parameter(name, "This is no e-mail address; q searches for a part of one."));
    return InvitationCondition::compare(InvitationField::email, domain::Comparison::equal, email->key());
  }
  if (const auto comparison = comparison_of(name)) {
    const auto time = base::parse_rfc3339(value);
    if (!time)
      return std::unexpected(
          bad_parameter(name, "Write the time as 2026-11-20T08:30:00Z, or the date alone; a + as %2B."));
    return InvitationCondition::compare(InvitationField::created_at, *comparison, *time);
  }
  return InvitationCondition::compare(InvitationField::email, domain::Comparison::like, domain::pattern_holding(value));
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    if (plain)
      encoded += c;
    else
      encoded.append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
  }
  return encoded;
}

}  // namespace

Response to_response(const BadInput& input) {
  std::string detail;
  Json errors = Json::array();
  for (const BadInput::Issue& issue : input.issues) {
    Json error = Json::object();
    if (!issue.pointer.empty()) error["pointer"] = issue.pointer;
    if (!issue.parameter.empty()) error["parameter"] = issue.parameter;
    error["detail"] = issue.detail;
    errors.push_back(std::move(error));
    detail += (detail.empty() ? "" : " ") + issue.detail;
  }
  const std::string parameter = input.issues.empty() ? std::string() : input.issues.front().parameter;
  Json body = to_problem({input.code, detail, parameter, std::nullopt});
  const Response refusal = render_problem(input.status, detail);
  if (input.status != 400) {
    const Json other = Json::parse(refusal.body);
    body["title"] = other["title"];
    body["status"] = input.status;
  }
  body["errors"] = std::move(errors);
  Response response = make_json(input.status, body);
  response.headers.set("Content-Type", refusal.headers.get("Content-Type"));
  return response;
}

Input<domain::BulkItem> read_invite(const Request& request) {
  auto body = Body::read(request);
  if (!body) return std::unexpected(std::move(body.error()));
  return body->finish(read_item(body->json(), *body, {}));
}

Input<BulkInput> read_bulk(const Request& request) {
  auto body = Body::read(request);
  if (!body) return std::unexpected(std::move(body.error()));
  BulkInput input;
  ObjectReader reader(body->json(), body->issues());
  const Json* items = reader.raw("invitations");
  input.dry_run = reader.optional<bool>("dry_run").value_or(false);
  reader.refuse_others();
  if (items == nullptr || !items->is_array()) {
    if (body->issues().empty()) body->add({"invitations"}, "\"invitations\" must be a list of invitations.");
  } else if (items->empty() || items->size() > domain::kMaxBulk) {
    body->add({"invitations"}, "One call takes 1 to " + std::to_string(domain::kMaxBulk) + " invitations.");
  } else {
    for (std::size_t i = 0; i < items->size(); ++i)
      input.items.push_back(read_item((*items)[i], *body, {"invitations", std::to_string(i)}));
  }
  return body->finish(std::move(input));
}

Input<ChangeInput> read_change(const Request& request) {
  auto body = Body::read(request);
  if (!body) return std::unexpected(std::move(body.error()));
  ChangeInput input;
  ObjectReader reader(body->json(), body->issues());
  input.roles = reader.optional<std::vector<std::string>>("roles");
  // null takes it away.
  const auto is_null = [&](const char* name) {
    const Json* value = reader.raw(name);
    return value != nullptr && value->is_null();
  };
  if (is_null("metadata"))
    input.change.metadata = "";
  else if (const auto metadata = reader.optional<Json>("metadata"))
    input.change.metadata = text_of(*metadata);
  if (is_null("redirect_url"))
    input.change.redirect_url = "";
  else
    input.change.redirect_url = reader.optional<std::string>("redirect_url");
  if (const auto text = reader.optional<std::string>("expires_at")) {
    input.change.expires_at = base::parse_rfc3339(*text);
    if (!input.change.expires_at) body->add({"expires_at"}, "Write \"expires_at\" as 2026-11-20T08:30:00Z.");
  }
  reader.refuse_others();
  if (body->json().is_object() && body->json().empty()) body->add({}, "The body says nothing that is to be changed.");
  return body->finish(std::move(input));
}

Input<bool> read_resend(const Request& request) {
  auto body = Body::read(request, /*may_be_empty=*/true);
  if (!body) return std::unexpected(std::move(body.error()));
  ObjectReader reader(body->json(), body->issues());
  const bool send = reader.optional<bool>("send").value_or(true);
  reader.refuse_others();
  return body->finish(send);
}

Input<void> read_nothing(const Request& request) {
  auto body = Body::read(request, /*may_be_empty=*/true);
  if (!body) return std::unexpected(std::move(body.error()));
  ObjectReader reader(body->json(), body->issues());
  reader.refuse_others();
  if (auto done = body->finish(true); !done) return std::unexpected(std::move(done.error()));
  return {};
}

Input<RoleOf> read_role_of(const Request& request) {
  if (request.method == "DELETE" && request.body.empty()) {
    const auto query = Query::read(request, {"email", "role"});
    if (!query) return std::unexpected(query.error());
    return RoleOf{query->find("email").value_or(""), query->find("role").value_or("")};
  }
  auto body = Body::read(request, /*may_be_empty=*/request.method == "DELETE");
  if (!body) return std::unexpected(std::move(body.error()));
  ObjectReader reader(body->json(), body->issues());
  RoleOf input;
  input.email = reader.required<std::string>("email");
  input.role = reader.required<std::string>("role");
  reader.refuse_others();
  return body->finish(std::move(input));
}

Input<InvitationListing> read_invitation_listing(const Request& request) {
  const auto query =
      Query::read(request, {"state", "email", "q", "created_after", "created_before", "limit", "cursor"});
  if (!query) return std::unexpected(query.error());
  InvitationListing listing;
  for (const std::string_view name : {"state", "email", "q", "created_after", "created_before"}) {
    const auto value = query->find(name);
    if (!value) continue;
    auto condition = condition_of(name, *value);
    if (!condition) return std::unexpected(std::move(condition.error()));
    listing.query.condition.parts.push_back(*std::move(condition));
  }
  const auto limit = read_limit(*query);
  if (!limit) return std::unexpected(limit.error());
  listing.limit = *limit;
  if (const auto cursor = query->find("cursor")) {
    listing.query.after = parse_cursor<base::Uuid>(*cursor);
    if (!listing.query.after) return std::unexpected(bad_cursor());
  }
  return listing;
}

template <class Position>
Input<Listing<Position>> read_listing(const Request& request, bool searches) {
  const auto query =
      searches ? Query::read(request, {"q", "limit", "cursor"}) : Query::read(request, {"limit", "cursor"});
  if (!query) return std::unexpected(query.error());
  const auto limit = read_limit(*query);
  if (!limit) return std::unexpected(limit.error());
  Listing<Position> listing{query->find("q").value_or(""), *limit, std::nullopt};
  if (const auto cursor = query->find("cursor")) {
    listing.behind = parse_cursor<Position>(*cursor);
    if (!listing.behind) return std::unexpected(bad_cursor());
  }
  return listing;
}
template Input<Listing<base::Uuid>> read_listing(const Request&, bool);
template Input<Listing<domain::Access>> read_listing(const Request&, bool);
template Input<Listing<std::uint32_t>> read_listing(const Request&, bool);

std::string cursor_behind(const base::Uuid& id) { return base::to_base64url(id.to_bytes()); }
std::string cursor_behind(const domain::Access& access) {
  return base::to_base64url(access.account_id.to_bytes() + access.role_id.to_bytes() +
                            std::to_string(access.granted_at.time_since_epoch().count()));
}
std::string cursor_behind(std::uint32_t offset) { return base::to_base64url(std::to_string(offset)); }

std::string next_url(const Request& request, std::string_view url, std::string_view cursor) {
  std::string next(url);
  next += "?";
  for (const auto& [name, value] : parse_query(request.query).value_or(QueryFields{}))
    if (name != "cursor") next += name + '=' + percent_encode(value) + '&';
  return next.append("cursor=").append(cursor);
}

}  // namespace invited::http::v1
