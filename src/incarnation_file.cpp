#include "incarnation_file.h"

#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>
#include <utility>

#include "durable_file.h"

namespace invited {
namespace {

using domain::IncarnationNote;
using domain::RestoreProgress;
using Json = nlohmann::ordered_json;

constexpr int kFileVersion = 1;
constexpr std::array<std::pair<RestoreProgress, const char*>, 3> kProgressWords{
    {{RestoreProgress::none, "none"}, {RestoreProgress::under_way, "under way"}, {RestoreProgress::waits, "waits"}}};

constexpr const char* kShared = "postgresql";
constexpr const char* kOwn = "sqlite";

Json to_json(const base::Uuid& id) { return id.is_nil() ? Json(nullptr) : Json(id.to_string()); }

/// Null is nil.
std::optional<base::Uuid> read_id(const Json& json, const char* member) {
  const auto found = json.find(member);
  if (found == json.end()) return std::nullopt;
  if (found->is_null()) return base::Uuid{};
  if (!found->is_string()) return std::nullopt;
  return base::Uuid::parse(found->get_ref<const std::string&>());
}

std::optional<bool> read_database(const Json& json) {
  const auto database = json.value("database", Json());
  if (database == kShared) return true;
  if (database == kOwn) return false;
  return std::nullopt;
}

std::optional<IncarnationNote> parse_note(const std::string& content) {
  const auto json = Json::parse(content, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || json.value("version", Json()) != kFileVersion) return std::nullopt;
  const auto instance = read_id(json, "instance");
  const auto current = read_id(json, "current");
  const auto next = read_id(json, "next");
  const auto epoch = json.value("epoch", Json());
  const auto restore = json.value("restore", Json());
  if (!instance || !current || !next || !epoch.is_number_unsigned() || epoch > UINT32_MAX) return std::nullopt;
  for (const auto& [progress, word] : kProgressWords)
    if (restore == word)
      return IncarnationNote{*instance, epoch.get<std::uint32_t>(), *current, *next, progress, read_database(json)};
  return std::nullopt;
}

}  // namespace

Parsed<std::optional<IncarnationNote>> load_note(const std::filesystem::path& state_dir) {
  const std::filesystem::path path = state_dir / kIncarnationFileName;
  std::error_code error;
  if (!std::filesystem::exists(path, error) && !error) return std::nullopt;
  const auto content = read_file(path, 65'536);
  if (!content) return std::unexpected(content.error());
  auto note = parse_note(*content);
  if (!note)
    return std::unexpected(path.string() +
                           " is damaged, so it cannot be told whether the database is the one that was served last. "
                           "invited restore --after-restore makes it anew: links that were mailed are dead then, and "
                           "mails that are owed are held");
  return note;
}

Parsed<void> save_note(const std::filesystem::path& state_dir, const IncarnationNote& note) {
  Json json{{"comment", "Tells invited whether its database came back from a backup. No secret; never edit it."},
            {"version", kFileVersion},
            {"instance", note.instance.to_string()},
            {"epoch", note.epoch},
            {"current", to_json(note.current)},
            {"next", to_json(note.next)},
            {"restore", nullptr}};
  for (const auto& [progress, word] : kProgressWords)
    if (progress == note.restore) json["restore"] = word;
  if (note.shared) json["database"] = *note.shared ? kShared : kOwn;
  return replace_file_durably(state_dir / kIncarnationFileName, json.dump(2) + "\n");
}

}  // namespace invited
