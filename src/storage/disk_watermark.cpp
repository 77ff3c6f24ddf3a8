#include "storage/disk_watermark.h"

#include <sys/statvfs.h>

#include <chrono>

#include "base/log.h"

namespace invited::storage {
namespace {

constexpr std::chrono::nanoseconds kInterval = std::chrono::milliseconds(250);

}  // namespace

DiskWatermark::DiskWatermark(std::string path, std::uint64_t bytes) : path_(std::move(path)), bytes_(bytes) {}

bool DiskWatermark::has_room() {
  if (bytes_ == 0) return true;
  const std::int64_t now = std::chrono::steady_clock::now().time_since_epoch().count();
  std::int64_t due = next_look_.load(std::memory_order_relaxed);
  if (now < due || !next_look_.compare_exchange_strong(due, now + kInterval.count()))
    return has_room_.load(std::memory_order_relaxed);

  struct statvfs system{};
  // A file system that cannot be asked is no reason to refuse: the commit will tell.
  const bool known = ::statvfs(path_.c_str(), &system) == 0;
  const std::uint64_t free_bytes = known ? std::uint64_t{system.f_bavail} * system.f_frsize : bytes_;
  const bool has_room = free_bytes >= bytes_;
  if (has_room_.exchange(has_room) != has_room) {
    if (has_room)
      base::log::info("storage.disk_has_room", {{"free_bytes", free_bytes}, {"watermark_bytes", bytes_}});
    else
      base::log::error("storage.disk_short", {{"free_bytes", free_bytes},
                                              {"watermark_bytes", bytes_},
                                              {"effect", "new invitations are refused"},
                                              {"remedy", "make room; the limit is storage.disk_watermark"}});
  }
  return has_room;
}

}  // namespace invited::storage
