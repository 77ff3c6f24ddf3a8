#include "storage/sqlite_log_file.h"

#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

namespace invited::storage {
namespace {

// More than most commits write; a longer one is written in pieces.
constexpr std::size_t kGathered = 1 << 20;
// SQLite's own files take less than 128 KiB at once (seekAndWriteFd in os_unix.c).
constexpr std::size_t kLongestWrite = 1 << 16;

/// Stands where SQLite expects its own file; the real one lies behind it in the same memory.
struct LogFile {
  sqlite3_file base{};
  std::unique_ptr<char[]> gathered;  // none: writes go through
  std::size_t size = 0;              // of what is gathered
  sqlite3_int64 offset = 0;          // where it belongs

  sqlite3_file* real();

  /// Writes what was gathered. Where that fails it is gone, as SQLite gives the commit up.
  int flush() {
    const std::size_t end = std::exchange(size, 0);
    for (std::size_t done = 0; done < end; done += kLongestWrite) {
      const int code =
          real()->pMethods->xWrite(real(), gathered.get() + done, static_cast<int>(std::min(end - done, kLongestWrite)),
                                   offset + static_cast<sqlite3_int64>(done));
      if (code != SQLITE_OK) return is_over_quota() ? SQLITE_FULL : code;
    }
    return SQLITE_OK;
  }
  /// Of the last error: a disk without space for us, which SQLite knows only as ENOSPC.
  bool is_over_quota() {
    int error = 0;
    return real()->pMethods->xFileControl(real(), SQLITE_FCNTL_LAST_ERRNO, &error) == SQLITE_OK && error == EDQUOT;
  }
};

constexpr std::size_t kOwnSize =
    (sizeof(LogFile) + alignof(std::max_align_t) - 1) / alignof(std::max_align_t) * alignof(std::max_align_t);

sqlite3_file* LogFile::real() { return reinterpret_cast<sqlite3_file*>(reinterpret_cast<std::byte*>(this) + kOwnSize); }

LogFile& log_of(sqlite3_file* file) { return *reinterpret_cast<LogFile*>(file); }

/// What is still gathered is of no commit, and the write lock, under which it was made, is gone.
int close(sqlite3_file* file) {
  LogFile& log = log_of(file);
  const int closed = log.real()->pMethods->xClose(log.real());
  log.~LogFile();
  return closed;
}

int write(sqlite3_file* file, const void* data, int length, sqlite3_int64 offset) {
  LogFile& log = log_of(file);
  const auto bytes = static_cast<std::size_t>(length);
  const bool continues = log.size == 0 || offset == log.offset + static_cast<sqlite3_int64>(log.size);
  if (!log.gathered || !continues || log.size + bytes > kGathered)
    if (const int code = log.flush(); code != SQLITE_OK) return code;
  if (!log.gathered || bytes > kGathered) return log.real()->pMethods->xWrite(log.real(), data, length, offset);
  if (log.size == 0) log.offset = offset;
  std::memcpy(log.gathered.get() + log.size, data, bytes);
  log.size += bytes;
  return SQLITE_OK;
}

/// One of SQLite's functions of the real file, once it holds what was gathered. Where it cannot, pages that SQLite
/// takes for written are gone: only an I/O error, in the middle of a transaction, ends all of it.
template <auto function, class... Arguments>
int after_flush(sqlite3_file* file, Arguments... arguments) {
  LogFile& log = log_of(file);
  if (log.flush() != SQLITE_OK) return SQLITE_IOERR_WRITE;
  return (log.real()->pMethods->*function)(log.real(), arguments...);
}

/// The end of a commit: its error is that of the writes, as if they had been made one by one.
int sync(sqlite3_file* file, int flags) {
  LogFile& log = log_of(file);
  if (const int code = log.flush(); code != SQLITE_OK) return code;
  return log.real()->pMethods->xSync(log.real(), flags);
}

/// One that does not touch what the file holds.
template <auto function, class... Arguments>
int pass_on(sqlite3_file* file, Arguments... arguments) {
  sqlite3_file* const real = log_of(file).real();
  return (real->pMethods->*function)(real, arguments...);
}

using Methods = sqlite3_io_methods;

constexpr Methods kMethods{
    .iVersion = 1,
    .xClose = &close,
    .xRead = &after_flush<&Methods::xRead, void*, int, sqlite3_int64>,
    .xWrite = &write,
    .xTruncate = &after_flush<&Methods::xTruncate, sqlite3_int64>,
    .xSync = &sync,
    .xFileSize = &after_flush<&Methods::xFileSize, sqlite3_int64*>,
    .xLock = &pass_on<&Methods::xLock, int>,
    .xUnlock = &pass_on<&Methods::xUnlock, int>,
    .xCheckReservedLock = &pass_on<&Methods::xCheckReservedLock, int*>,
    .xFileControl = &after_flush<&Methods::xFileControl, int, void*>,
    .xSectorSize = &pass_on<&Methods::xSectorSize>,
    .xDeviceCharacteristics = &pass_on<&Methods::xDeviceCharacteristics>,
    // Version 2 and later: shared memory and mapping, which SQLite asks of the database's file only.
    .xShmMap = nullptr,
    .xShmLock = nullptr,
    .xShmBarrier = nullptr,
    .xShmUnmap = nullptr,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

sqlite3_vfs* system_files = nullptr;

int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  if ((flags & SQLITE_OPEN_WAL) == 0) return system_files->xOpen(system_files, name, file, flags, out_flags);
  auto* const log = new (file) LogFile;
  const int code = system_files->xOpen(system_files, name, log->real(), flags, out_flags);
  if (code == SQLITE_OK) log->base.pMethods = &kMethods;  // without, SQLite does not close it
  return code;
}

}  // namespace

void register_log_files() {
  static sqlite3_vfs files = [] {
    system_files = sqlite3_vfs_find(nullptr);
    sqlite3_vfs made = *system_files;  // all but opening is the system's
    made.pNext = nullptr;
    made.zName = "invited";
    made.szOsFile += static_cast<int>(kOwnSize);
    made.xOpen = &open;
    return made;
  }();
  sqlite3_vfs_register(&files, /*makeDflt=*/1);
}

void gather_log_writes(void* connection) {
  auto* const handle = static_cast<sqlite3*>(connection);
  sqlite3_file* file = nullptr;
  sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, static_cast<void*>(&file));
  if (file == nullptr || file->pMethods != &kMethods) return;
  // Not zeroed: of the memory only what commits use shall be there.
  log_of(file).gathered = std::make_unique_for_overwrite<char[]>(kGathered);
  // Pages of a large transaction come before its end. Written after a rollback, without the write lock, they would
  // overwrite what another program committed meanwhile.
  sqlite3_rollback_hook(handle, [](void* log) { log_of(static_cast<sqlite3_file*>(log)).size = 0; }, file);
}

}  // namespace invited::storage
