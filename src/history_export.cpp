#include "history_export.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <string_view>
#include <thread>
#include <utility>

#include "admin/admin_json.h"
#include "base/descriptor.h"
#include "base/log.h"
#include "durable_file.h"

namespace invited {
namespace {

using admin::Json;
using base::Descriptor;
using base::write_all;
using domain::History;

std::string_view word(History history) {
  switch (history) {
    case History::invitations:
      return "invitations";
    case History::mails:
      return "mails";
    case History::attempts:
      return "attempts";
    case History::refresh_calls:
      return "refresh_calls";
    case History::webhook_deliveries:
      return "webhook_deliveries";
    case History::audit_events:
      return "audit_events";
  }
  return "audit_events";
}

template <class Attempts>
Json attempts_json(const Attempts& attempts) {
  Json list = Json::array();
  for (const auto& attempt : attempts) list.push_back(admin::to_json(attempt));
  return list;
}

Json to_json(const domain::EndedMail& mail) {
  Json json = admin::to_json(mail.message, std::nullopt);
  json.erase("hold");
  json["attempts"] = attempts_json(mail.attempts);
  return json;
}

Json to_json(const domain::EndedInvitation& ended, base::Timestamp now) {
  const domain::Invitation& invitation = ended.invitation;
  Json mails = Json::array();
  for (const auto& mail : ended.mails) mails.push_back(to_json(mail));
  Json role_uuids = Json::array();
  for (const base::Uuid& id : invitation.role_ids()) role_uuids.push_back(id.to_string());
  return {{"invitation_uuid", invitation.id.to_string()},
          {"state", domain::to_string(invitation.state_at(now))},
          {"invitee_email", invitation.invitee.text()},
          {"inviter_uuid", invitation.inviter_id.to_string()},
          {"role_uuid", invitation.role_id.to_string()},
          {"role_uuids", std::move(role_uuids)},
          {"environment_uuid", invitation.environment_id.to_string()},
          {"generation", invitation.generation},
          {"created_at", base::to_rfc3339(invitation.created_at)},
          {"sent_at", base::to_rfc3339(invitation.sent_at)},
          {"expires_at", base::to_rfc3339(invitation.expires_at)},
          {"settled_at", invitation.settled_at ? Json(base::to_rfc3339(*invitation.settled_at)) : Json(nullptr)},
          {"metadata", admin::metadata_of(invitation)},
          {"redirect_url", invitation.redirect_url.empty() ? Json(nullptr) : Json(invitation.redirect_url)},
          {"mails", std::move(mails)}};
}

Json to_json(const domain::EndedCall& ended) {
  const domain::RefreshCall& call = ended.call;
  return {{"refresh_uuid", call.id.to_string()},
          {"state", domain::to_string(call.state)},
          {"account_uuid", call.account_id.to_string()},
          {"environment_uuid", call.environment_id.to_string()},
          {"queued_at", base::to_rfc3339(call.queued_at)},
          {"finished_at", call.finished_at ? Json(base::to_rfc3339(*call.finished_at)) : Json(nullptr)},
          {"attempt_count", call.attempts},
          {"last_error", call.last_error.empty() ? Json(nullptr) : Json(call.last_error)},
          {"attempts", attempts_json(ended.attempts)}};
}

Json to_json(const domain::EndedDelivery& ended) {
  Json json = admin::to_json(ended.delivery);
  json["attempts"] = attempts_json(ended.attempts);
  return json;
}

std::string lines_of(const domain::HistorySlice& slice, base::Timestamp now) {
  std::string lines;
  const auto add = [&](const Json& json) {
    lines += json.dump(-1, ' ', false, Json::error_handler_t::replace);
    lines += '\n';
  };
  for (const auto& invitation : slice.invitations) add(to_json(invitation, now));
  for (const auto& mail : slice.mails) add(to_json(mail));
  for (const auto& call : slice.calls) add(to_json(call));
  for (const auto& delivery : slice.deliveries) add(to_json(delivery));
  for (const auto& event : slice.events) add(admin::to_json(event));
  return lines;
}

/// What was appended before a crash may end in the middle of a line. False: see errno.
bool cut_torn_line(int file, off_t& size) {
  char block[4096];
  off_t end = size;
  while (end > 0) {
    const auto wanted = std::min<off_t>(end, sizeof block);
    const auto got = ::pread(file, block, static_cast<std::size_t>(wanted), end - wanted);
    if (got != wanted) return false;
    const std::string_view text(block, static_cast<std::size_t>(got));
    if (const auto line_end = text.rfind('\n'); line_end != std::string_view::npos) {
      end += static_cast<off_t>(line_end) + 1 - wanted;
      break;
    }
    end -= wanted;
  }
  if (end != size && ::ftruncate(file, end) != 0) return false;
  size = end;
  return true;
}

/// Another instance may share the folder, and is perhaps in the middle of a line: some milliseconds. Whoever has the
/// file for longer, because it hangs, say, must not hang us: everything else that the thread does waits. False: see
/// errno.
bool lock(int file) {
  constexpr std::chrono::milliseconds kBetween{10};
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  while (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EINTR && (errno != EWOULDBLOCK || std::chrono::steady_clock::now() >= end)) return false;
    std::this_thread::sleep_for(kBetween);
  }
  return true;
}

std::unexpected<domain::Error> cannot(std::string_view what, const std::filesystem::path& path) {
  const int code = errno;
  return domain::refuse(domain::ErrorCode::unavailable,
                        "retention.export_dir: cannot " + std::string(what) + ' ' + path.string() + ": " +
                            std::strerror(code) +
                            ". Nothing was deleted. Make room, or name a folder that this user may write.");
}

}  // namespace

std::filesystem::path HistoryExport::file_of(History history, base::Timestamp now) const {
  std::string name(word(history));
  name += '-' + base::to_rfc3339(now).substr(0, 10);
  if (failed_syncs_ > 0) name += '-' + std::to_string(failed_syncs_ + 1);
  return folder_ / (name + ".jsonl");
}

domain::Result<void> HistoryExport::append(History history, const domain::HistorySlice& slice, base::Timestamp now) {
  if (::mkdir(folder_.c_str(), 0700) == 0) {
    const auto parent = folder_.parent_path();
    if (!sync_durably(parent.empty() ? "." : parent)) return cannot("sync", parent);
  } else if (errno != EEXIST) {
    return cannot("make the folder", folder_);
  }
  const auto path = file_of(history, now);
  const Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
  if (file.get() < 0) return cannot("open", path);
  struct stat status{};
  if (!lock(file.get()))
    return errno != EWOULDBLOCK ? cannot("lock", path)
                                : domain::refuse(domain::ErrorCode::unavailable,
                                                 "retention.export_dir: another process has locked " + path.string() +
                                                     ". Nothing was deleted; it is tried again.");
  if (::fstat(file.get(), &status) != 0) return cannot("read", path);
  off_t size = status.st_size;
  if (size == 0 && !sync_durably(folder_)) return cannot("sync", folder_);
  if (!cut_torn_line(file.get(), size)) return cannot("mend the last line of", path);
  if (!write_all(file.get(), lines_of(slice, now))) {
    auto error = cannot("write", path);
    // Best at once; else the next append does it.
    if (::ftruncate(file.get(), size) != 0) base::log::warning("history.torn_line_left", {{"file", path.string()}});
    return error;
  }
  if (::fdatasync(file.get()) != 0) {
    // What is in that file now is not known, and an fsync that failed is never tried again: from here on another file.
    auto error = cannot("sync", path);
    ++failed_syncs_;
    return error;
  }
  return {};
}

}  // namespace invited
