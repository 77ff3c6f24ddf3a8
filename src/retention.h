// Keeps the history as long as it is configured to, and no longer: walks it from the oldest in small steps, exports
// what ended longer ago (history_export.h), and deletes it once the export is on disk. A crash between the two exports
// it twice and loses nothing. One pass after the other; a step takes some milliseconds of the store's writer, and the
// pauses between them grow with what else the writer has to do. Several instances on one database may do it at once:
// what one has deleted the other does not find. A clock that is far ahead of when the database was served last, or
// jumps there, is not believed for an hour: it would make history of what is pending. One thread (Housekeeping's).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config.h"
#include "domain/store.h"
#include "history_export.h"

namespace invited {

class Retention {
 public:
  struct Pace {
    std::uint32_t step = 50;                                     ///< things looked at in one step
    std::chrono::milliseconds interval = std::chrono::hours(1);  ///< between two passes
    std::chrono::milliseconds after_failure = std::chrono::minutes(5);
    std::chrono::milliseconds patience = std::chrono::hours(1);  ///< with a clock that seems to be ahead
  };

  Retention(domain::Store& store, const base::Clock& clock, const Config::Retention& settings);
  Retention(domain::Store& store, const base::Clock& clock, const Config::Retention& settings, Pace pace);

  /// One step. How long to wait before the next.
  std::chrono::milliseconds step();

 private:
  struct Walk {
    domain::History history;
    std::chrono::milliseconds age;
  };

  bool trusts_clock();
  void begin_pass();
  std::chrono::milliseconds end_pass();
  std::chrono::milliseconds give_up(const domain::Error& error);
  domain::Result<domain::HistorySlice> find();
  domain::Result<void> export_and_erase(const domain::HistorySlice& slice);

  domain::Store& store_;
  const base::Clock& clock_;
  const Pace pace_;
  std::vector<Walk> walks_;  ///< only what is not kept for ever
  std::optional<HistoryExport> export_;

  // The clock when it was believed last, and a clock that nobody sets then.
  base::Timestamp believed_;
  std::chrono::steady_clock::time_point believed_at_;
  std::optional<std::chrono::steady_clock::time_point> doubted_since_;

  // The pass under way.
  std::size_t walk_ = 0;
  std::string after_;
  std::uint32_t look_ = 0;  ///< at how many things the next step looks
  base::Timestamp began_at_{};
  std::map<domain::History, std::uint64_t> erased_;
};

}  // namespace invited
