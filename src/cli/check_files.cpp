// What `invited check` looks at on this machine's disk.
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <system_error>
#include <utility>

#include "cli/check_parts.h"
#include "cli/read_as.h"
#include "http/transport.h"
#include "keys.h"
#include "state_folder.h"

namespace invited::cli {
namespace {

constexpr std::chrono::hours kSoon{24 * 14};

bool holds_certificate(const std::filesystem::path& file) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);)
    if (line.starts_with("-----BEGIN ") && line.contains("CERTIFICATE-----")) return true;
  return false;
}

std::string cannot_be_used(const std::string& folder) {
  return folder + " cannot be used: " + std::strerror(errno) +
         ". Run this as the service's user, or give it to this one";
}

}  // namespace

void warn_if_open(const char* subject, const std::string& setting, const std::filesystem::path& file,
                  std::vector<Finding>& findings) {
  struct stat status{};
  if (::stat(file.c_str(), &status) == 0 && (status.st_mode & 077) != 0)
    findings.push_back({subject, Outcome::warning, setting + " can be read by others: chmod 600 " + file.string()});
}

void check_tls(const Config& config, std::vector<Finding>& findings) {
  const std::filesystem::path& certificate = config.http.tls_certificate;
  const std::filesystem::path& key = config.http.tls_key;
  if (certificate.empty() || key.empty()) return;
  const auto tls = http::TlsContext::load(certificate.string(), key.string());
  if (!tls) {
    findings.push_back({"tls", Outcome::failed, tls.error().message});
    return;
  }
  const base::Timestamp until = (*tls)->valid_until();
  const base::Timestamp now = base::SystemClock().now();
  const std::string end = base::to_rfc3339(until);
  if (until <= now)
    findings.push_back({"tls", Outcome::failed, "http.tls_certificate ended at " + end + ": renew it, then SIGHUP"});
  else if (until - now < kSoon)
    findings.push_back({"tls", Outcome::warning, "http.tls_certificate ends at " + end + ": renew it, then SIGHUP"});
  else
    findings.push_back({"tls", Outcome::ok, "certificate and key fit, until " + end});
  warn_if_open("tls", "http.tls_key", key, findings);
}

void check_ca_file(const char* setting, const std::filesystem::path& file, std::vector<Finding>& findings) {
  if (file.empty()) return;
  std::string reason;
  if (::access(file.c_str(), R_OK) != 0)
    reason = std::string(" cannot be read: ") + std::strerror(errno);
  else if (!holds_certificate(file))
    reason = " holds no certificate";
  if (!reason.empty())
    findings.push_back({setting, Outcome::failed,
                        file.string() + reason + ". Name a file of authorities in PEM format that this user may read"});
}

void check_disk(const Config& config, std::vector<Finding>& findings) {
  std::error_code error;
  const auto space = std::filesystem::space(config.state_dir, error);
  // With PostgreSQL the disk is the server's.
  if (is_shared(config) || error || space.available >= config.storage.disk_watermark) return;
  findings.push_back({"disk", Outcome::failed,
                      std::to_string(space.available >> 20) + " MiB are free at " + config.state_dir.string() +
                          ", less than storage.disk_watermark (" + format_size(config.storage.disk_watermark) +
                          "): new invitations are refused until there is room"});
}

Folder check_state_folder(const Config& config, std::vector<Finding>& findings) {
  struct stat status{};
  const std::string folder = config.state_dir.string();
  if (::stat(folder.c_str(), &status) != 0) {
    if (errno != ENOENT) {
      findings.push_back({"state_dir", Outcome::failed, cannot_be_used(folder)});
      return Folder::unusable;
    }
    findings.push_back(
        {"state_dir", Outcome::warning, folder + " is not there yet: the first start makes it, if it may"});
    return Folder::not_there_yet;
  }
  if (!S_ISDIR(status.st_mode)) {
    findings.push_back({"state_dir", Outcome::failed, folder + " is not a folder: name another one"});
    return Folder::unusable;
  }
  if (::access(folder.c_str(), R_OK | W_OK | X_OK) != 0) {
    findings.push_back({"state_dir", Outcome::failed, cannot_be_used(folder)});
    return Folder::unusable;
  }
  if ((status.st_mode & 077) != 0)
    findings.push_back({"state_dir", Outcome::warning, "others can look into " + folder + ": chmod 700 " + folder});
  else
    findings.push_back({"state_dir", Outcome::ok, folder});
  return Folder::usable;
}

void check_files_of_service(const Config& config, std::vector<Finding>& findings) {
  struct stat folder{};
  if (::geteuid() != 0 || ::stat(config.state_dir.c_str(), &folder) != 0 || folder.st_uid == 0) return;
  const std::pair<const char*, const std::filesystem::path&> files[] = {
      {"http.tls_certificate", config.http.tls_certificate}, {"http.tls_key", config.http.tls_key},
      {"mail.password_file", config.mail.password_file},     {"mail.ca_file", config.mail.ca_file},
      {"refresh.ca_file", config.refresh.ca_file},           {"webhook.ca_file", config.webhook.ca_file}};
  for (const auto& [setting, file] : files)
    if (!file.empty() && !may_read_as(folder.st_uid, folder.st_gid, file))
      findings.push_back({setting, Outcome::failed,
                          file.string() + " may be read by this user, but not by the one that state_dir belongs to (" +
                              std::to_string(folder.st_uid) + "), as which the service runs: give it to that one"});
}

void check_export_dir(const Config& config, std::vector<Finding>& findings) {
  std::filesystem::path folder = config.retention.export_dir;
  if (folder.empty()) return;
  if (!folder.has_filename()) folder = folder.parent_path();  // a slash at its end
  std::error_code error;
  const bool is_made = std::filesystem::exists(folder, error);
  const std::filesystem::path parent = folder.has_parent_path() ? folder.parent_path() : std::filesystem::path(".");
  const std::filesystem::path& written = is_made ? folder : parent;
  struct stat state{};
  const bool runs_as_another = ::geteuid() == 0 && ::stat(config.state_dir.c_str(), &state) == 0 && state.st_uid != 0;
  std::string trouble;
  if (!std::filesystem::is_directory(written, error))
    trouble = " is not a folder";
  else if (::access(written.c_str(), W_OK | X_OK) != 0 ||
           (runs_as_another && !may_write_into_as(state.st_uid, state.st_gid, written)))
    trouble = " may not be written by the service's user";
  if (trouble.empty())
    findings.push_back({"retention.export_dir", Outcome::ok, folder.string()});
  else
    findings.push_back({"retention.export_dir", Outcome::failed,
                        written.string() + trouble +
                            ", so nothing that is older than retention.* says is deleted: make " + folder.string() +
                            " a folder of that user, or name another"});
}

void check_keys(const Config& config, bool database_exists, std::vector<Finding>& findings) {
  std::error_code error;
  if (!database_exists && !std::filesystem::exists(config.state_dir / kKeyFileName, error)) {
    findings.push_back({"keys", Outcome::ok, "made at the first start"});
    return;
  }
  const auto keys = load_keys(config.state_dir);
  if (keys)
    findings.push_back(
        {"keys", Outcome::ok, (config.state_dir / kKeyFileName).string() + " is whole and closed to others"});
  else
    findings.push_back({"keys", Outcome::failed, keys.error()});
}

}  // namespace invited::cli
