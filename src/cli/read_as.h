// Whether a user other than the caller may read a file or write into a folder: for root, who may do everything, and
// checks for a service that runs as somebody else. Starts a process of its own; to be used where there is one thread.
#pragma once

#include <sys/types.h>

#include <filesystem>

namespace invited::cli {

/// With the groups that the user database gives `user`. True also where it cannot be found out.
bool may_read_as(uid_t user, gid_t group, const std::filesystem::path& file);
bool may_write_into_as(uid_t user, gid_t group, const std::filesystem::path& folder);

}  // namespace invited::cli
