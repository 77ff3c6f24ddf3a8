// The program `invited`. What it can do is in cli/command_line; what the service is made of in serve.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iostream>
#include <system_error>

#include "cli/command_line.h"
#include "demo.h"
#include "serve.h"

namespace {

/// A standard stream that is closed would lend its number to the next file that is opened, and the log would be written
/// into the lock of the database. Only for reading, so that what cannot be printed is an error still.
void occupy_closed_streams() {
  int file = ::open("/dev/null", O_RDONLY);
  while (file >= 0 && file <= STDERR_FILENO) file = ::open("/dev/null", O_RDONLY);
  if (file >= 0) ::close(file);
}

/// A password that is shown once must not be lost in silence, nor a list be cut short.
bool is_all_printed() {
  errno = 0;
  std::cout.flush();
  if (std::cout) return true;
  const std::string reason = errno != 0 ? std::string(": ") + std::strerror(errno) : "";
  std::cerr << "invited: Standard output could not be written" << reason
            << ". What the command did stays done, but what it printed is lost: find room for it and ask again; a "
               "password or token that was shown only now has to be made anew.\n";
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  occupy_closed_streams();
  try {
    const int code = invited::cli::run(argc, argv, {.serve = invited::serve, .demo = invited::demo});
    return is_all_printed() ? code : EXIT_FAILURE;
  } catch (const std::system_error& failure) {
    // What std::thread says where it may not start.
    const bool threads = failure.code() == std::errc::resource_unavailable_try_again;
    std::cerr << "invited: " << failure.what()
              << (threads ? ": no more threads can be started. Raise the limit on them (systemd: TasksMax; containers: "
                            "pids; else ulimit -u), or lower http.workers.\n"
                          : "\n");
    return EXIT_FAILURE;
  } catch (const std::exception& failure) {
    // Out of memory or threads: nobody below can do anything about it, and nothing owed is lost by ending.
    std::cerr << "invited: " << failure.what() << '\n';
    return EXIT_FAILURE;
  }
}
