#include "admin/admin_arguments.h"

#include "base/utf8.h"

namespace invited::admin {
namespace {

using domain::ErrorCode;
using domain::refuse;
using domain::Result;

/// Finds among `candidates` by UUID or name; `noun` is for the sentence and the parameter's name.
template <class Thing>
Result<Thing> find_named(std::string_view named, std::vector<Thing> candidates, const std::string& noun,
                         ErrorCode none = ErrorCode::not_found) {
  std::vector<Thing> found;
  const auto id = base::Uuid::parse(named);
  const std::string folded = base::fold_case(base::to_nfc(base::trim(named)));
  for (Thing& candidate : candidates)
    if (id ? candidate.id == *id : base::fold_case(candidate.name) == folded) found.push_back(std::move(candidate));
  if (found.empty())
    return refuse(none,
                  "There is no " + noun + " \"" + std::string(named) +
                      "\". Name it by its UUID or its exact name: see invited " + noun + " list.",
                  noun);
  if (found.size() > 1) {
    std::string uuids;
    for (const Thing& thing : found) uuids += (uuids.empty() ? "" : ", ") + thing.id.to_string();
    return refuse(
        ErrorCode::invalid_parameter,
        "Several have the name \"" + std::string(named) + "\". Use the UUID of the one you mean: " + uuids + ".", noun);
  }
  return std::move(found.front());
}

}  // namespace

Result<std::string> Arguments::text_or_empty(std::string_view name) const {
  const auto found = values_.find(std::string(name));
  if (found == values_.end() || found->is_null()) return std::string();
  if (!found->is_string())
    return refuse(ErrorCode::invalid_parameter, "--" + std::string(name) + " must be a text.", std::string(name));
  std::string value = found->get<std::string>();
  if (!base::is_valid_utf8(value))
    return refuse(ErrorCode::invalid_parameter, "--" + std::string(name) + " is not valid UTF-8.", std::string(name));
  return value;
}

Result<std::optional<std::string>> Arguments::optional_text(std::string_view name) const {
  const auto found = values_.find(std::string(name));
  if (found == values_.end() || found->is_null()) return std::nullopt;
  auto value = text_or_empty(name);
  if (!value) return std::unexpected(std::move(value.error()));
  return std::move(*value);
}

Result<std::optional<std::vector<std::string>>> Arguments::optional_texts(std::string_view name) const {
  const auto found = values_.find(std::string(name));
  if (found == values_.end() || found->is_null()) return std::nullopt;
  std::vector<std::string> texts;
  if (!found->is_array()) {
    auto text = text_or_empty(name);
    if (!text) return std::unexpected(std::move(text.error()));
    texts.push_back(*std::move(text));
    return texts;
  }
  for (const Json& entry : *found) {
    if (!entry.is_string() || !base::is_valid_utf8(entry.get_ref<const std::string&>()))
      return refuse(ErrorCode::invalid_parameter, "--" + std::string(name) + " must be texts in UTF-8.",
                    std::string(name));
    texts.push_back(entry.get<std::string>());
  }
  return texts;
}

Result<std::string> Arguments::text(std::string_view name) const {
  auto value = text_or_empty(name);
  if (value && base::trim(*value).empty())
    return refuse(ErrorCode::missing_parameter, "--" + std::string(name) + " is missing.", std::string(name));
  return value;
}

Result<std::optional<base::Uuid>> Arguments::optional_uuid(std::string_view name) const {
  auto value = text_or_empty(name);
  if (!value) return std::unexpected(std::move(value.error()));
  if (value->empty()) return std::nullopt;
  const auto id = base::Uuid::parse(*value);
  if (!id)
    return refuse(ErrorCode::invalid_parameter,
                  "--" + std::string(name) + ": \"" + *value + "\" is not a UUID: write all of its 36 characters.",
                  std::string(name));
  return id;
}

Result<base::Uuid> Arguments::uuid(std::string_view name) const {
  if (auto present = text(name); !present) return std::unexpected(std::move(present.error()));
  auto found = optional_uuid(name);
  if (!found) return std::unexpected(std::move(found.error()));
  if (const auto& id = *found) return *id;
  return refuse(ErrorCode::missing_parameter, "--" + std::string(name) + " is missing.", std::string(name));
}

bool Arguments::flag(std::string_view name) const {
  const auto found = values_.find(std::string(name));
  return found != values_.end() && found->is_boolean() && found->get<bool>();
}

Result<std::uint64_t> Arguments::number(std::string_view name, std::uint64_t fallback) const {
  const auto found = values_.find(std::string(name));
  if (found == values_.end() || found->is_null()) return fallback;
  if (!found->is_number_unsigned())
    return refuse(ErrorCode::invalid_parameter, "--" + std::string(name) + " must be a whole number.",
                  std::string(name));
  return found->get<std::uint64_t>();
}

Result<domain::Page> Arguments::page() const {
  const auto limit = number("limit", kMaxPage);
  const auto offset = number("offset", 0);
  if (!limit) return std::unexpected(limit.error());
  if (!offset) return std::unexpected(offset.error());
  if (*limit == 0 || *limit > kMaxPage)
    return refuse(ErrorCode::invalid_parameter, "limit must be from 1 to " + std::to_string(kMaxPage) + ".", "limit");
  if (*offset > INT32_MAX) return refuse(ErrorCode::invalid_parameter, "offset is too large.", "offset");
  return domain::Page{.limit = static_cast<std::uint32_t>(*limit), .offset = static_cast<std::uint32_t>(*offset)};
}

Result<domain::App> find_app(std::string_view named, domain::Transaction& transaction) {
  return find_named(named, transaction.list_apps(), "app");
}

Result<domain::Environment> find_environment(std::string_view named, domain::Transaction& transaction) {
  return find_named(named, transaction.list_environments(), "environment");
}

Result<domain::Role> find_role(const base::Uuid& app_id, std::string_view named, domain::Transaction& transaction) {
  return find_named(named, transaction.list_roles(app_id), "role", ErrorCode::unknown_role);
}

}  // namespace invited::admin
