// What SendInvite feels of retention: its latency and rate without, and while everything that ended long ago is
// exported and deleted, first with callers that call as fast as they are answered, then with a few hundred calls a
// second. Prints a table. Usage: retention_bench [--rows N] [--seconds N] [--folder DIR]
//   --rows N: rows that are purged; a quarter each of invitations, mails, attempts, audit events (default 1000000)
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "retention.h"
#include "storage/sqlite_store.h"
#include "support/manual_clock.h"
#include "support/sample_data.h"
#include "support/temporary_directory.h"

namespace {

using namespace invited;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

const test::SampleWorld kWorld;
constexpr auto kAge = 24h * 30;

void must(const domain::Result<void>& done) {
  if (done) return;
  std::fprintf(stderr, "%s\n", done.error().message.c_str());
  std::exit(1);
}

/// `quarter` each of settled invitations, sent mails, attempts and audit events, two months old.
void fill(domain::Store& store, long quarter, base::Timestamp now) {
  constexpr long kChunk = 500;
  for (long done = 0; done < quarter; done += kChunk) {
    const base::Timestamp then = now - 2 * kAge + std::chrono::milliseconds(done / kChunk);
    must(store.write([&](domain::Transaction& t) -> domain::Result<void> {
      for (long i = done; i < std::min(done + kChunk, quarter); ++i) {
        const auto mixed = static_cast<unsigned long>(i) * 0x9e3779b97f4a7c15UL;
        char email[64];
        std::snprintf(email, sizeof email, "old-%016lx@example.com", mixed);
        auto invitation = kWorld.invitation(email, then);
        invitation.state = domain::InvitationState::accepted;
        invitation.settled_at = then;
        t.insert(invitation);
        t.insert(kWorld.message(invitation));
        t.insert(
            domain::AuditEvent{then, "operator", "invitation.created", invitation.id, "invitee=" + std::string(email)});
      }
      for (const auto& lease : t.claim_due_messages(kChunk, then, then + 20min))
        t.finish_attempt(lease, {domain::DeliveryOutcome::sent, 250, "data", "2.0.0 Ok: queued"}, {}, then);
      return {};
    }));
  }
}

class Load {
 public:
  /// `pause` between the answer to a caller and its next call.
  Load(domain::Store& store, const base::Clock& clock, int callers, std::chrono::microseconds pause)
      : latencies_(static_cast<std::size_t>(callers)), start_(Clock::now()) {
    for (auto& own : latencies_)
      threads_.emplace_back([&, pause] {
        while (!stop_.load(std::memory_order_relaxed)) {
          char email[64];
          std::snprintf(email, sizeof email, "new-%016lx@example.com",
                        static_cast<unsigned long>(next_.fetch_add(1)) * 0x9e3779b97f4a7c15UL);
          const auto begin = Clock::now();
          must(store.write([&](domain::Transaction& t) { return kWorld.send_invite(t, email, clock.now()); }));
          own.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
          if (pause > 0us) std::this_thread::sleep_for(pause);
        }
      });
  }
  void end(const char* what, const std::string& more = {}) {
    stop_ = true;
    for (auto& thread : threads_) thread.join();
    const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
    std::vector<double> all;
    for (const auto& own : latencies_) all.insert(all.end(), own.begin(), own.end());
    std::ranges::sort(all);
    if (all.empty()) return;
    std::printf("%-46s %7.0f/s   p50 %6.2f ms   p99 %6.2f ms   p99.9 %6.2f ms   max %7.1f ms%s\n", what,
                static_cast<double>(all.size()) / elapsed, all[all.size() / 2], all[all.size() * 99 / 100],
                all[all.size() * 999 / 1000], all.back(), more.c_str());
    std::fflush(stdout);
  }

 private:
  static inline std::atomic<long> next_{0};
  std::atomic<bool> stop_{false};
  std::vector<std::vector<double>> latencies_;
  Clock::time_point start_;
  std::vector<std::thread> threads_;
};

long rows_left(domain::Store& store, base::Timestamp before) {
  long left = 0;
  must(store.read([&](domain::Transaction& t) -> domain::Result<void> {
    left = t.list_ended(domain::History::audit_events, {}, before, 1).events.empty() ? 0 : 1;
    return {};
  }));
  return left;
}

}  // namespace

int main(int argc, char** argv) {
  long rows = 1'000'000;
  double seconds = 5;
  std::string folder;
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], "--rows") == 0) rows = std::atol(argv[i + 1]);
    if (std::strcmp(argv[i], "--seconds") == 0) seconds = std::atof(argv[i + 1]);
    if (std::strcmp(argv[i], "--folder") == 0) folder = argv[i + 1];
  }
  base::log::set_level(base::log::Level::warning);
  const test::TemporaryDirectory temporary;
  if (folder.empty()) folder = temporary.path().string();

  const base::SystemClock clock;
  storage::SqliteOptions options;
  options.path = folder + "/retention.db";
  auto opened = storage::open_sqlite_store(options, clock);
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().message.c_str());
    return 1;
  }
  domain::Store& store = **opened;
  must(store.write([&](domain::Transaction& t) -> domain::Result<void> {
    kWorld.insert_into(t);
    return {};
  }));
  fill(store, rows / 4, clock.now());
  std::printf("%ld rows that ended two months ago; %.0f MiB\n", rows,
              static_cast<double>(std::filesystem::file_size(options.path)) / (1 << 20));

  const auto run_quietly = [&](const char* what, int callers, std::chrono::microseconds pause) {
    Load load(store, clock, callers, pause);
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    load.end(what);
  };
  Config::Retention settings{kAge, kAge, kAge, folder + "/exports"};
  Retention retention(store, clock, settings);
  bool purged = false;
  const auto run_purging = [&](const char* what, int callers, std::chrono::microseconds pause) {
    Load load(store, clock, callers, pause);
    const auto begin = Clock::now();
    int steps = 0;
    for (; !purged && Clock::now() - begin < std::chrono::duration<double>(seconds); ++steps) {
      const auto rest = retention.step();
      purged = rest >= 1min;
      if (!purged) std::this_thread::sleep_for(rest);
    }
    load.end(what, "   " + std::to_string(steps) + " steps");
  };
  // Turn by turn: a machine that does other things too does not do the same all the time.
  for (int turn = 0; turn < 3; ++turn) {
    run_quietly("64 callers, nothing else", 64, 0us);
    run_purging("64 callers, while old rows are purged", 64, 0us);
  }
  for (int turn = 0; turn < 3; ++turn) {
    run_quietly("8 callers every 20 ms, nothing else", 8, 20ms);
    run_purging("8 callers every 20 ms, while old rows are purged", 8, 20ms);
  }

  // The rest with nobody waiting.
  const auto begin = Clock::now();
  int steps = 0;
  while (!purged) {
    const auto rest = retention.step();
    ++steps;
    purged = rest >= 1min;
    if (!purged) std::this_thread::sleep_for(rest);
  }
  std::printf("the rest, alone: %d steps in %.1f s; left: %ld\n", steps,
              std::chrono::duration<double>(Clock::now() - begin).count(), rows_left(store, clock.now() - kAge));
  return 0;
}
