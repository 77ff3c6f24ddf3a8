#include "http/api/query_string.h"

#include <algorithm>

#include "http/percent_encoding.h"

namespace invited::http {
namespace {

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// "a.b[c][]" as {"a", "b", "c", ""}; nothing where brackets do not pair up or go too deep.
std::optional<std::vector<std::string>> split_name(std::string_view name) {
  std::vector<std::string> segments;
  std::string_view plain = name.substr(0, name.find('['));
  std::string_view brackets = name.substr(plain.size());
  for (;;) {
    const auto dot = plain.find('.');
    if (dot == 0 || plain.empty()) return std::nullopt;
    segments.emplace_back(plain.substr(0, dot));
    if (dot == std::string_view::npos) break;
    plain.remove_prefix(dot + 1);
  }
  while (!brackets.empty()) {
    const auto end = brackets.find(']');
    if (brackets.front() != '[' || end == std::string_view::npos) return std::nullopt;
    const auto segment = brackets.substr(1, end - 1);
    if (segment.find('[') != std::string_view::npos) return std::nullopt;
    segments.emplace_back(segment);
    brackets.remove_prefix(end + 1);
  }
  if (segments.size() > kMaxQueryDepth + 1) return std::nullopt;
  return segments;
}

/// While fields come in, arrays are objects whose names are their numbers: only the end tells which are arrays.
struct Node {
  std::string name;
  std::vector<std::string> values;
  std::vector<Node> members;

  Node& member(const std::string& wanted) {
    const auto found = std::ranges::find(members, wanted, &Node::name);
    return found != members.end() ? *found : members.emplace_back(Node{wanted, {}, {}});
  }
};

std::expected<Json, std::string> to_json(const Node& node, std::string_view name) {
  if (node.members.empty()) {
    if (node.values.size() == 1) return Json(node.values.front());
    return Json(node.values);
  }
  if (!node.values.empty())
    return std::unexpected("\"" + std::string(name) + "\" is given both as a value and as an object.");
  const auto is_item = [](const Node& member) { return member.name.empty() || is_number(member.name); };
  const auto items = std::ranges::count_if(node.members, is_item);
  if (items != 0 && static_cast<std::size_t>(items) != node.members.size())
    return std::unexpected("\"" + std::string(name) + "\" is given both as a list and as an object.");
  Json json = items != 0 ? Json::array() : Json::object();
  for (const Node& child : node.members) {
    const std::string& key = child.name;
    auto value = to_json(child, key.empty() ? name : std::string_view(key));
    if (!value) return value;
    if (items == 0) {
      json[key] = std::move(*value);
    } else if (key.empty() && value->is_array()) {
      for (Json& item : *value) json.push_back(std::move(item));
    } else {
      json.push_back(std::move(*value));
    }
  }
  return json;
}

}  // namespace

std::expected<QueryFields, std::string> parse_query(std::string_view query) {
  QueryFields fields;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    if (fields.size() == kMaxQueryFields) return std::unexpected("The query has too many fields.");
    auto& [name, value] = fields.emplace_back();
    const auto equals = std::min(pair.find('='), pair.size());
    if (!decode_form_text(pair.substr(0, equals), name) ||
        !decode_form_text(pair.substr(std::min(equals + 1, pair.size())), value))
      return std::unexpected("The query holds an escape that is no text in UTF-8.");
  }
  return fields;
}

std::expected<std::optional<std::string>, std::string> single_field(const QueryFields& fields, std::string_view name) {
  std::optional<std::string> found;
  for (const auto& [key, value] : fields) {
    if (key != name) continue;
    if (found) return std::unexpected("\"" + std::string(name) + "\" is given more than once.");
    found = value;
  }
  return found;
}

std::expected<Json, std::string> parse_nested_query(std::string_view query) {
  const auto fields = parse_query(query);
  if (!fields) return std::unexpected(fields.error());
  Node root;
  for (const auto& [name, value] : *fields) {
    const auto segments = split_name(name);
    if (!segments) return std::unexpected("The query has a field whose name is malformed or too deep.");
    Node* node = &root;
    for (const std::string& segment : *segments) node = &node->member(segment);
    node->values.push_back(value);
  }
  if (root.members.empty()) return Json::object();
  // A number at the root is a name as any other.
  Json json = Json::object();
  for (const Node& node : root.members) {
    auto value = to_json(node, node.name);
    if (!value) return value;
    json[node.name] = std::move(*value);
  }
  return json;
}

}  // namespace invited::http
