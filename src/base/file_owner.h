// Whose a file is that root makes for a service of another user. Thread-safe.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

namespace invited::base {

/// What root makes in another user's folder is given to that user, who could not open it otherwise.
inline void give_to_owner_of_folder(int file, const char* folder) {
  struct stat status{};
  if (::geteuid() != 0 || ::stat(folder, &status) != 0) return;
  [[maybe_unused]] const int given = ::fchown(file, status.st_uid, status.st_gid);
}

}  // namespace invited::base
