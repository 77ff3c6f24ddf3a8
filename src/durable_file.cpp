#include "durable_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/crypto.h"
#include "base/file_owner.h"

namespace invited {
namespace {

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

/// The content, synced, under a temporary name beside `path`.
Parsed<std::filesystem::path> write_temporary(const std::filesystem::path& path, std::string_view content) {
  std::filesystem::path temporary = path.string() + ".new-" + base::to_hex(base::random_bytes(8));
  const auto abandon = [&]() -> std::unexpected<std::string> {
    auto complaint = file_failed(temporary, "written");
    ::unlink(temporary.c_str());
    return complaint;
  };
  const Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.valid()) return file_failed(temporary, "written");
  give_to_owner_of_folder(file.get(), folder_of(path));
  if (!base::write_all(file.get(), content) || ::fsync(file.get()) != 0) return abandon();
  return temporary;
}

}  // namespace

void give_to_owner_of_folder(int file, const std::filesystem::path& folder) {
  base::give_to_owner_of_folder(file, folder.c_str());
}

std::unexpected<std::string> file_failed(const std::filesystem::path& path, const char* verb) {
  return std::unexpected(path.string() + " cannot be " + verb + ": " + std::strerror(errno));
}

Parsed<void> sync_durably(const std::filesystem::path& path) {
  const Descriptor opened(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened.valid() || ::fsync(opened.get()) != 0) return file_failed(path, "synced");
  return {};
}

Parsed<void> create_file_durably(const std::filesystem::path& path, std::string_view content) {
  const auto temporary = write_temporary(path, content);
  if (!temporary) return std::unexpected(temporary.error());
  const bool linked = ::link(temporary->c_str(), path.c_str()) == 0 || errno == EEXIST;
  const int error = errno;
  ::unlink(temporary->c_str());
  errno = error;
  if (!linked) return file_failed(path, "written");
  return sync_durably(folder_of(path));
}

Parsed<void> replace_file_durably(const std::filesystem::path& path, std::string_view content) {
  const auto temporary = write_temporary(path, content);
  if (!temporary) return std::unexpected(temporary.error());
  if (::rename(temporary->c_str(), path.c_str()) != 0) {
    auto complaint = file_failed(path, "written");
    ::unlink(temporary->c_str());
    return complaint;
  }
  return sync_durably(folder_of(path));
}

Parsed<std::string> read_file(const std::filesystem::path& path, std::size_t limit) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return file_failed(path, "read");
  return read_file(file, path, limit);
}

Parsed<std::string> read_file(const Descriptor& file, const std::filesystem::path& path, std::size_t limit) {
  std::string content;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t size = ::read(file.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return file_failed(path, "read");
    if (size == 0) return content;
    content.append(buffer.data(), static_cast<std::size_t>(size));
    buffer.fill(0);  // it may have been a key
    if (content.size() > limit)
      return std::unexpected(path.string() + " is larger than " + std::to_string(limit) + " bytes");
  }
}

}  // namespace invited
