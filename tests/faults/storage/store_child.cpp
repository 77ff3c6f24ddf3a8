// A process that stores invitations and notes each answer, to be killed or to have its disk fail.
//   store_child DATABASE NOTES THREADS COUNT FIRST
// COUNT numbered invitations (-1: without end) from number FIRST on. NOTES gets a line for each answer, written before
// the next one is asked for: "ok N", "no N", "unknown N". Standard output gets "ready" once the store is open.
// NOTES.met is made where a fault (io_fault.cpp) was met before the store was closed.
// Exit: 0 all asked, 2 the store cannot be opened, 3 the store said that it is broken.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "faults/storage/fixed_world.h"
#include "storage/sqlite_store.h"

namespace {

using namespace invited;

void note(int file, const std::string& line) {
  const std::string text = line + '\n';
  if (::write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size())) std::abort();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) return 1;
  const int notes = ::open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const long count = std::atol(argv[4]);
  base::log::set_level(base::log::Level::warning);

  const base::SystemClock clock;
  std::atomic<bool> broken{false};
  storage::SqliteOptions options;
  options.path = argv[1];
  options.watermark_bytes = 0;
  const char* checkpoint_pages = std::getenv("STORE_CHILD_CHECKPOINT_PAGES");
  // Often, so that faults meet checkpoints too.
  options.checkpoint_pages = checkpoint_pages != nullptr ? std::atoi(checkpoint_pages) : 40;
  options.on_fatal = [&](std::string_view) { broken = true; };
  auto store = storage::open_sqlite_store(options, clock);
  if (!store) {
    std::fprintf(stderr, "%s\n", store.error().message.c_str());
    return 2;
  }

  const test::SampleWorld world = test::fixed_world();
  const auto seeded = (*store)->write([&](domain::Transaction& t) -> domain::Result<void> {
    if (!t.find_app(world.app.id)) world.insert_into(t);
    return {};
  });
  if (!seeded) return broken ? 3 : 2;
  std::puts("ready");
  std::fflush(stdout);

  std::atomic<long> next{std::atol(argv[5])};
  const long end = count < 0 ? -1 : next + count;
  std::vector<std::thread> threads;
  for (int i = std::atoi(argv[3]); i > 0; --i)
    threads.emplace_back([&] {
      for (;;) {
        const long number = next++;
        if ((end >= 0 && number >= end) || broken) return;
        const auto done = (*store)->write(
            [&](domain::Transaction& t) { return world.send_invite(t, test::numbered_address(number), clock.now()); });
        const char* answer = done                                                      ? "ok "
                             : done.error().code == domain::ErrorCode::outcome_unknown ? "unknown "
                                                                                       : "no ";
        note(notes, answer + std::to_string(number));
      }
    });
  for (std::thread& thread : threads) thread.join();
  const char* const fault = std::getenv("INVITED_IO_FAULT");
  const char* const mark = fault != nullptr ? std::strrchr(fault, ',') : nullptr;
  if (mark != nullptr && ::access(mark + 1, F_OK) == 0)
    ::close(::open((std::string(argv[2]) + ".met").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  // The last commit may have broken the store after it answered.
  store->reset();
  return broken ? 3 : 0;
}
