#include "mail/directory_transport.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>

#include "base/crypto.h"
#include "base/descriptor.h"

namespace invited::mail {

namespace {

using base::Descriptor;
using base::write_all;
using domain::DeliveryOutcome;
using domain::DeliveryResult;

/// The folder as a whole is at fault, so the queue is held and no message charged.
DeliveryResult held(const std::string& what) {
  return {DeliveryOutcome::held, 0, "directory", what + ": " + std::strerror(errno)};
}

bool fits_a_file_name(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '_';
}

/// A file name must not become a path.
std::string safe(std::string_view text) {
  std::string name(text);
  std::replace_if(name.begin(), name.end(), std::not_fn(fits_a_file_name), '_');
  return name;
}

}  // namespace

std::string eml_file_name(const Envelope& envelope) {
  std::string time = base::to_rfc3339(envelope.queued_at);  // colons are not for file names
  std::erase_if(time, [](char c) { return c == ':' || c == '-'; });
  return time + "-" + safe(envelope.message_id) + ".eml";
}

DeliveryResult DirectoryTransport::write(const std::string& name, const std::string& bytes, bool keep) {
  std::error_code made;
  if (std::filesystem::create_directories(directory_, made))
    std::filesystem::permissions(directory_, std::filesystem::perms::owner_all, made);
  // Hidden until complete; the random part keeps two writers of the same mail apart.
  const std::string temporary =
      (directory_ / ("." + name + "." + base::to_hex(base::random_bytes(4)) + ".tmp")).string();
  const std::string final_path = (directory_ / name).string();
  {
    const Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file.valid()) return held("cannot write into " + directory_.string());
    if (!write_all(file.get(), bytes) || ::fsync(file.get()) != 0) {
      const DeliveryResult failure = held("cannot write into " + directory_.string());
      ::unlink(temporary.c_str());
      return failure;
    }
  }
  if (!keep) {
    ::unlink(temporary.c_str());
    return {DeliveryOutcome::sent, 0, "directory", {}};
  }
  if (::rename(temporary.c_str(), final_path.c_str()) != 0) {
    const DeliveryResult failure = held("cannot rename into " + directory_.string());
    ::unlink(temporary.c_str());
    return failure;
  }
  const Descriptor folder(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid() || ::fsync(folder.get()) != 0) return held("cannot sync " + directory_.string());
  return {DeliveryOutcome::sent, 0, "directory", {}};
}

DeliveryResult DirectoryTransport::deliver(const Envelope& envelope, const std::string& bytes) {
  if (interrupted_)
    return {DeliveryOutcome::held, 0, std::string(kInterrupted), "broken off because the service is stopping"};
  if (envelope.may_complete && !envelope.may_complete())
    return {DeliveryOutcome::held, 0, std::string(kInterrupted), "broken off before the mail was complete"};
  return write(eml_file_name(envelope), bytes, /*keep=*/true);
}

DeliveryResult DirectoryTransport::probe() { return write("probe", "probe\r\n", /*keep=*/false); }

}  // namespace invited::mail
