#include "keys.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/crypto.h"
#include "durable_file.h"

namespace invited {
namespace {

constexpr std::size_t kKeySize = 32;
constexpr int kFileVersion = 1;
constexpr std::size_t kLargestFile = 65'536;

std::unexpected<std::string> damaged(const std::filesystem::path& path) {
  return std::unexpected(path.string() +
                         " is damaged: restore it from your backup. It must not be made anew, because every "
                         "environment's password and every open link depends on it.");
}

/// 32 bytes written as base64url, or nothing.
std::optional<base::Secret> read_key(const nlohmann::json& value) {
  if (!value.is_string()) return std::nullopt;
  auto bytes = base::from_base64url(value.get_ref<const std::string&>());
  if (!bytes || bytes->size() != kKeySize) return std::nullopt;
  base::Secret key(*bytes);
  base::wipe(*bytes);
  return key;
}

std::optional<Keys> parse_keys(const std::string& content) {
  const auto json = nlohmann::json::parse(content, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || json.value("version", nlohmann::json()) != kFileVersion) return std::nullopt;
  const auto epoch = json.value("epoch", nlohmann::json());
  const auto list = json.value("token_keys", nlohmann::json());
  auto pepper = read_key(json.value("pepper", nlohmann::json()));
  auto csrf_key = read_key(json.value("csrf_key", nlohmann::json()));
  if (!epoch.is_number_unsigned() || epoch > UINT32_MAX || !list.is_array() || list.empty() || !pepper || !csrf_key)
    return std::nullopt;
  Keys keys{.token_keys = {}, .pepper = std::move(*pepper), .csrf_key = std::move(*csrf_key)};
  keys.token_keys.epoch = epoch.get<std::uint32_t>();
  for (const auto& entry : list) {
    if (!entry.is_object()) return std::nullopt;
    const auto id = entry.value("id", nlohmann::json());
    auto key = read_key(entry.value("key", nlohmann::json()));
    if (!id.is_number_unsigned() || id > UINT8_MAX || !key) return std::nullopt;
    keys.token_keys.keys.push_back({id.get<std::uint8_t>(), std::move(*key)});
  }
  return keys;
}

std::string make_key_file() {
  const auto key = [] { return base::to_base64url(base::random_bytes(kKeySize)); };
  const nlohmann::ordered_json json{
      {"comment", "Keys of invited. Secret; back it up together with the database; never make it anew."},
      {"version", kFileVersion},
      {"epoch", 1U},
      {"token_keys", {{{"id", 1U}, {"key", key()}}}},
      {"pepper", key()},
      {"csrf_key", key()}};
  return json.dump(2) + "\n";
}

}  // namespace

Parsed<Keys> load_keys(const std::filesystem::path& state_dir) {
  const std::filesystem::path path = state_dir / kKeyFileName;
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) {
    if (errno != ENOENT) return file_failed(path, "read");
    return std::unexpected(path.string() +
                           " is missing although a database is there: restore it from your backup. Without it no "
                           "environment can sign in and no link that was sent works.");
  }
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return file_failed(path, "read");
  if (!S_ISREG(status.st_mode)) return std::unexpected(path.string() + " is not a file");
  if ((status.st_mode & 077) != 0)
    return std::unexpected(path.string() + " can be read by others: chmod 600 " + path.string() +
                           ", and think about who may have read it");
  if (status.st_size > static_cast<off_t>(kLargestFile)) return damaged(path);
  auto content = read_file(file, path, kLargestFile);
  if (!content) return std::unexpected(std::move(content.error()));
  auto keys = parse_keys(*content);
  base::wipe(*content);
  if (!keys) return damaged(path);
  return std::move(*keys);
}

Parsed<Keys> load_or_create_keys(const std::filesystem::path& state_dir, bool database_exists) {
  std::error_code error;
  const bool keys_exist = std::filesystem::exists(state_dir / kKeyFileName, error);
  if (error) return std::unexpected((state_dir / kKeyFileName).string() + " cannot be read: " + error.message());
  if (!keys_exist && !database_exists) {
    std::string content = make_key_file();
    auto written = create_file_durably(state_dir / kKeyFileName, content);
    base::wipe(content);
    if (!written) return std::unexpected(std::move(written.error()));
  }
  return load_keys(state_dir);
}

domain::KeyMarks marks_of(const Keys& keys) {
  return {base::to_hex(base::hmac_sha256(keys.pepper.reveal(), "invited key binding 1")), keys.token_keys.epoch};
}

Parsed<void> set_epoch(const std::filesystem::path& state_dir, std::uint32_t epoch, Keys& keys) {
  const std::filesystem::path path = state_dir / kKeyFileName;
  auto content = read_file(path, kLargestFile);
  if (!content) return std::unexpected(std::move(content.error()));
  auto json = nlohmann::ordered_json::parse(*content, nullptr, /*allow_exceptions=*/false);
  base::wipe(*content);
  if (!json.is_object()) return damaged(path);
  json["epoch"] = epoch;
  std::string changed = json.dump(2) + "\n";
  auto written = replace_file_durably(path, changed);
  base::wipe(changed);
  if (written) keys.token_keys.epoch = epoch;
  return written;
}

}  // namespace invited
