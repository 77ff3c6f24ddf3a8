// Keeps a second process out of what only one may open: an advisory lock on a file of its own, with the holder's pid in
// it for the message to the other. The kernel drops the lock when the process dies, however it dies. The file stays.
#pragma once

#include <string>

#include "domain/error.h"

namespace invited::storage {

/// The lock of a database's file: beside that file, by whatever symbolic links it is named.
std::string lock_path_of(const std::string& database);

class LockFile {
 public:
  /// Takes the lock without waiting. unavailable: another process has it (its pid is in the message), or the file
  /// cannot be made. `what` names the thing guarded, for people: "the database /var/lib/invited/invited.db".
  static domain::Result<LockFile> take(const std::string& path, const std::string& what);

  /// Whether another process has the lock. Changes nothing, so it can also be told where nothing may be written. False
  /// where that cannot be told.
  static bool is_taken(const std::string& path);

  LockFile(LockFile&& other) noexcept;
  LockFile& operator=(LockFile&& other) noexcept;
  ~LockFile();

 private:
  explicit LockFile(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

}  // namespace invited::storage
