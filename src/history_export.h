// Writes what retention is about to delete into files: one for each history and day (UTC), one JSON object a line, only
// ever appended to, readable by their owner alone. Fields as `--json` has them; no secret is in any of these tables.
// A crash can leave half a line at the end (never behind it): the next append cuts it off, and what it was of was not
// deleted. Several processes may append to one file. One thread.
#pragma once

#include <filesystem>
#include <string>

#include "base/clock.h"
#include "domain/error.h"
#include "domain/history.h"

namespace invited {

class HistoryExport {
 public:
  explicit HistoryExport(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Returns when the slice is on disk. unavailable: it may not be, with a sentence that names the remedy.
  domain::Result<void> append(domain::History history, const domain::HistorySlice& slice, base::Timestamp now);

  /// "invitations-2026-11-21.jsonl"
  std::filesystem::path file_of(domain::History history, base::Timestamp now) const;

 private:
  std::filesystem::path folder_;
  int failed_syncs_ = 0;
};

}  // namespace invited
