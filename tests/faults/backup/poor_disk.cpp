// Preloaded into a process, makes every file system one of those that backups are often put on: without hard links
// (FAT, exFAT, many network shares), and without a rename that never replaces anything.
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

extern "C" {

int link(const char*, const char*) {
  errno = EPERM;
  return -1;
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned int flags) {
  if (flags == 0) return static_cast<int>(::syscall(SYS_renameat2, from_folder, from, to_folder, to, 0));
  errno = EINVAL;
  return -1;
}

}  // extern "C"
