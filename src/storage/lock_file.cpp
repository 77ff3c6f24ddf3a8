#include "storage/lock_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/file_owner.h"

namespace invited::storage {
namespace {

using domain::ErrorCode;

std::string read_pid(int descriptor) {
  std::array<char, 32> buffer{};
  const auto size = ::pread(descriptor, buffer.data(), buffer.size(), 0);
  std::string pid;
  for (ssize_t i = 0;
       i < size && buffer[static_cast<std::size_t>(i)] >= '0' && buffer[static_cast<std::size_t>(i)] <= '9'; ++i)
    pid += buffer[static_cast<std::size_t>(i)];
  return pid;
}

bool write_pid(int descriptor) {
  const std::string text = std::to_string(::getpid()) + '\n';
  return ::ftruncate(descriptor, 0) == 0 &&
         ::pwrite(descriptor, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
}

/// Whether `path` still names the file that was locked: somebody may have deleted it meanwhile.
bool is_at(const std::string& path, int descriptor) {
  struct stat held{};
  struct stat there{};
  return ::fstat(descriptor, &held) == 0 && ::stat(path.c_str(), &there) == 0 && held.st_dev == there.st_dev &&
         held.st_ino == there.st_ino;
}

}  // namespace

std::string lock_path_of(const std::string& database) {
  std::error_code error;
  const auto real = std::filesystem::weakly_canonical(database, error);
  return (error ? database : real.string()) + ".lock";
}

domain::Result<LockFile> LockFile::take(const std::string& path, const std::string& what) {
  for (;;) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (descriptor < 0)
      return domain::refuse(ErrorCode::unavailable, "Cannot open the lock file " + path + ": " + std::strerror(errno) +
                                                        ". Give the file, and its folder, to the user that runs this.");
    const auto folder = std::filesystem::path(path).parent_path();
    base::give_to_owner_of_folder(descriptor, folder.empty() ? "." : folder.c_str());
    LockFile lock(descriptor);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK)
        return domain::refuse(ErrorCode::unavailable, "Cannot lock " + path + ": " + std::strerror(errno) + ".");
      std::string message = "Another process";
      if (const std::string pid = read_pid(descriptor); !pid.empty()) message.append(" (pid ").append(pid).append(")");
      message.append(" is using ").append(what);
      message.append(": stop it first, or talk to it instead. Only one may use it at a time.");
      return domain::refuse(ErrorCode::unavailable, std::move(message));
    }
    if (!is_at(path, descriptor)) continue;
    // A pid that cannot be written makes the other's message poorer, and nothing else.
    static_cast<void>(write_pid(descriptor));
    return lock;
  }
}

bool LockFile::is_taken(const std::string& path) {
  const LockFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return file.descriptor_ >= 0 && ::flock(file.descriptor_, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

LockFile::LockFile(LockFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

LockFile& LockFile::operator=(LockFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

LockFile::~LockFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace invited::storage
