#include "cli/read_as.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace invited::cli {
namespace {

constexpr int kDenied = 1;

bool may_read(const char* file) { return ::open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK) >= 0 || errno != EACCES; }

bool may_write_into(const char* folder) { return ::access(folder, W_OK | X_OK) == 0 || errno != EACCES; }

/// In the child: becomes the user for good, and tries.
int try_as(uid_t user, gid_t group, bool (*may)(const char*), const char* path) {
  const passwd* entry = ::getpwuid(user);
  const bool has_groups = entry != nullptr ? ::initgroups(entry->pw_name, group) == 0 : ::setgroups(0, nullptr) == 0;
  if (!has_groups || ::setgid(group) != 0 || ::setuid(user) != 0) return 0;
  return may(path) ? 0 : kDenied;
}

bool may_as(uid_t user, gid_t group, bool (*may)(const char*), const std::filesystem::path& path) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(try_as(user, group, may, path.c_str()));
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) return true;
  return !(WIFEXITED(status) && WEXITSTATUS(status) == kDenied);
}

}  // namespace

bool may_read_as(uid_t user, gid_t group, const std::filesystem::path& file) {
  return may_as(user, group, may_read, file);
}

bool may_write_into_as(uid_t user, gid_t group, const std::filesystem::path& folder) {
  return may_as(user, group, may_write_into, folder);
}

}  // namespace invited::cli
