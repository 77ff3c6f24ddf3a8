#include "http/dialects/medusa_query.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>

#include "base/ascii.h"
#include "domain/like_pattern.h"
#include "http/api/query_string.h"
#include "http/api/strict_json.h"
#include "http/dialects/medusa_shapes.h"

namespace invited::http {
namespace {

using domain::Comparison;
using domain::InvitationField;
using Condition = domain::InvitationCondition;
using Kind = Condition::Kind;
template <class T>
using Parsed = std::expected<T, std::string>;

constexpr std::uint32_t kDefaultLimit = 50;
constexpr std::uint32_t kMostLimit = 1'000;
constexpr std::size_t kMostConditions = 64;

struct Field {
  std::string_view name;
  InvitationField field;
};
constexpr std::array kFields{Field{"id", InvitationField::id}, Field{"email", InvitationField::email},
                             Field{"created_at", InvitationField::created_at},
                             Field{"updated_at", InvitationField::updated_at}};
/// Nothing that is listed has been deleted.
constexpr std::string_view kDeletedAt = "deleted_at";

std::unexpected<std::string> invalid(const std::string& what) { return std::unexpected("Invalid request: " + what); }

const Field* find_field(std::string_view name) {
  const auto found = std::ranges::find(kFields, name, &Field::name);
  return found == kFields.end() ? nullptr : &*found;
}

/// As in a WHERE of theirs: % and _, but backslashes for themselves.
std::string to_pattern(std::string_view text) {
  std::string pattern;
  for (const char c : text) pattern += c == '\\' ? std::string("\\\\") : std::string(1, base::to_lower_ascii(c));
  return pattern;
}

class Parser {
 public:
  Parsed<Condition> conditions(const Json& object) {
    std::vector<Condition> all;
    for (const auto& [name, value] : object.items()) {
      auto one = condition(name, value);
      if (!one) return one;
      all.push_back(*std::move(one));
    }
    return Condition::of(Kind::all, std::move(all));
  }

 private:
  Parsed<Condition> condition(const std::string& name, const Json& value) {
    if (name == "$and" || name == "$or") return group(name, value);
    if (name == "q") return contains(value);
    if (name == kDeletedAt) return value.is_object() && value.contains("$eq") ? absent(value["$eq"]) : absent(value);
    const Field* field = find_field(name);
    if (field == nullptr) return invalid("Unrecognized fields: '" + name + "'");
    if (!value.is_object()) return one_of(*field, value);
    std::vector<Condition> all;
    for (const auto& [word, operand] : value.items()) {
      auto one = with_operator(*field, word, operand);
      if (!one) return one;
      all.push_back(*std::move(one));
    }
    return Condition::of(Kind::all, std::move(all));
  }

  Parsed<Condition> group(const std::string& name, const Json& value) {
    if (!value.is_array()) return invalid("Expected type: 'array' for field '" + name + "'");
    std::vector<Condition> parts;
    for (const Json& one : value) {
      if (!one.is_object()) return invalid("Expected type: 'object' for field '" + name + "'");
      auto part = conditions(one);
      if (!part) return part;
      parts.push_back(*std::move(part));
    }
    return Condition::of(name == "$or" ? Kind::any : Kind::all, std::move(parts));
  }

  Parsed<Condition> contains(const Json& value) {
    if (!value.is_string()) return invalid("Expected type: 'string' for field 'q'");
    return counted(Condition::compare(InvitationField::email, Comparison::like,
                                      domain::pattern_holding(value.get<std::string>())));
  }

  static Parsed<Condition> absent(const Json& value) {
    const bool wanted = value.is_null() || (value.is_string() && (value == "" || value == "null"));
    return Condition::of(wanted ? Kind::all : Kind::any, {});
  }

  Parsed<Condition> with_operator(const Field& field, const std::string& word, const Json& operand) {
    if (word == "$eq" || word == "$in") return one_of(field, operand);
    if (word == "$ne" || word == "$nin") {
      auto one = one_of(field, operand);
      if (!one) return one;
      return Condition::of(Kind::none, {*std::move(one)});
    }
    if (word == "$like" || word == "$ilike") {
      if (field.field != InvitationField::email || !operand.is_string())
        return invalid("The operator '" + word + "' needs a string, and the field 'email'");
      return counted(Condition::compare(field.field, Comparison::like, to_pattern(operand.get<std::string>())));
    }
    constexpr std::array<std::pair<std::string_view, Comparison>, 4> kOrders{{{"$gt", Comparison::greater},
                                                                              {"$gte", Comparison::greater_or_equal},
                                                                              {"$lt", Comparison::less},
                                                                              {"$lte", Comparison::less_or_equal}}};
    for (const auto& [known, comparison] : kOrders)
      if (known == word) return compare(field, comparison, operand);
    return invalid("Unrecognized operator: '" + word + "' for field '" + std::string(field.name) + "'");
  }

  /// A value or an array of them.
  Parsed<Condition> one_of(const Field& field, const Json& value) {
    if (!value.is_array()) return compare(field, Comparison::equal, value);
    std::vector<Condition> parts;
    for (const Json& one : value) {
      auto part = compare(field, Comparison::equal, one);
      if (!part) return part;
      parts.push_back(*std::move(part));
    }
    return Condition::of(Kind::any, std::move(parts));
  }

  Parsed<Condition> compare(const Field& field, Comparison comparison, const Json& value) {
    const std::string name(field.name);
    if (!value.is_string()) return invalid("Expected type: 'string' for field '" + name + "'");
    const std::string text = value.get<std::string>();
    switch (field.field) {
      case InvitationField::id: {
        const auto id = parse_medusa_id(MedusaKind::invite, text);
        if (!id) return counted(Condition::of(Kind::any, {}));  // nobody's
        return counted(Condition::compare(field.field, comparison, *id));
      }
      case InvitationField::email:
        return counted(Condition::compare(field.field, comparison, base::to_lower_ascii(text)));
      default: {
        const auto time = base::parse_rfc3339(text);
        if (!time) return invalid("Expected type: 'date' for field '" + name + "', got: '" + text + "'");
        return counted(Condition::compare(field.field, comparison, *time));
      }
    }
  }

  Parsed<Condition> counted(Condition condition) {
    if (++count_ > kMostConditions) return invalid("Too many conditions");
    return condition;
  }

  std::size_t count_ = 0;
};

Parsed<std::uint32_t> number(const Json& value, const std::string& name, std::uint32_t most) {
  const std::string text = value.is_string() ? value.get<std::string>() : std::string();
  std::uint32_t result = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), result);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size())
    return invalid("Expected type: 'number' for field '" + name + "', got: '" + text + "'");
  return std::min(result, most);
}

Parsed<void> set_order(const Json& value, MedusaQuery& query) {
  std::string name = value.is_string() ? value.get<std::string>() : std::string();
  query.descending = name.starts_with('-');
  if (query.descending) name.erase(0, 1);
  if (name == "id") return {};  // ids are in the order in which they were made
  if (name == "expires_at") {
    query.order = InvitationField::expires_at;
    return {};
  }
  const Field* field = find_field(name);
  if (field == nullptr) return invalid("Order field '" + name + "' is not valid");
  query.order = field->field;
  return {};
}

/// `fields=a,b`, `fields[]=a,b`.
Parsed<std::string> fields_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  std::string joined;
  if (value.is_array())
    for (const Json& one : value)
      if (one.is_string()) joined += (joined.empty() ? "" : ",") + one.get<std::string>();
  if (joined.empty()) return invalid("Expected type: 'string' for field 'fields'");
  return joined;
}

/// Takes what is meant for the list as a whole out of `parameters`.
Parsed<void> take_controls(Json& parameters, MedusaQuery& query) {
  const auto take = [&](const std::string& name) -> std::optional<Json> {
    const auto found = parameters.find(name);
    if (found == parameters.end()) return std::nullopt;
    Json value = *found;
    parameters.erase(name);
    return value;
  };
  if (const auto value = take("limit")) {
    const auto limit = number(*value, "limit", kMostLimit);
    if (!limit) return std::unexpected(limit.error());
    query.page.limit = *limit;
  }
  if (const auto value = take("offset")) {
    const auto offset = number(*value, "offset", UINT32_MAX);
    if (!offset) return std::unexpected(offset.error());
    query.page.offset = *offset;
  }
  if (const auto value = take("order"))
    if (auto done = set_order(*value, query); !done) return done;
  if (const auto value = take("fields")) {
    auto fields = fields_of(*value);
    if (!fields) return std::unexpected(std::move(fields.error()));
    query.fields = *std::move(fields);
  }
  take("with_deleted");  // taken, and without effect on this list, as there
  return {};
}

}  // namespace

std::expected<MedusaQuery, std::string> parse_medusa_query(const Request& request) {
  auto parameters = parse_nested_query(request.query);
  if (!parameters) return invalid(parameters.error());
  MedusaQuery query;
  query.page.limit = kDefaultLimit;
  if (auto done = take_controls(*parameters, query); !done) return std::unexpected(std::move(done.error()));
  auto condition = Parser().conditions(*parameters);
  if (!condition) return std::unexpected(std::move(condition.error()));
  // What was accepted, declined or revoked is deleted there; what is over stays until somebody deletes it.
  query.condition = Condition::of(Kind::all, {Condition::compare(InvitationField::stored_state, Comparison::equal,
                                                                 domain::InvitationState::pending),
                                              *std::move(condition)});
  return query;
}

std::expected<std::string, std::string> parse_medusa_fields(const Request& request) {
  auto parameters = parse_nested_query(request.query);
  if (!parameters) return invalid(parameters.error());
  MedusaQuery query;
  if (auto done = take_controls(*parameters, query); !done) return std::unexpected(std::move(done.error()));
  return query.fields;
}

}  // namespace invited::http
