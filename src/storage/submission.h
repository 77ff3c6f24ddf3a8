// A unit of work on its way through a batch (group_commit.h). Values; in one thread's hands at a time.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "domain/store.h"

namespace invited::storage {

struct BegunWork;

/// Lives on its caller's stack until its batch is acknowledged, or in what was begun.
struct Submission {
  domain::Store::Work* work = nullptr;
  const domain::Foresight* foresight = nullptr;
  domain::Result<void> result;
  BegunWork* begun = nullptr;  ///< none: its caller waits
  std::uint32_t batch = 0;     ///< the number of the one that it is part of

  /// How much of a batch's limit it takes: each key that it foresees may be a lock on the server.
  std::size_t size() const {
    return std::max<std::size_t>(1, foresight == nullptr ? 0 : foresight->invitee_keys.size());
  }
};

/// One more of something, for as long as it lives. Whoever sees it no longer counted sees all that was done before.
class Counted {
 public:
  explicit Counted(std::atomic<std::size_t>& count) : count_(count) { count_.fetch_add(1, std::memory_order_relaxed); }
  ~Counted() { count_.fetch_sub(1, std::memory_order_release); }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  std::atomic<std::size_t>& count_;
};

/// A unit of work whose caller does not wait, and what it is told with.
struct BegunWork {
  domain::Store::Work work;
  domain::Foresight foresight;
  domain::Store::Done done;
  std::optional<Counted> counted{};  ///< among those that are not told yet
  Submission submission{};
};

using BegunBatch = std::vector<std::unique_ptr<BegunWork>>;

}  // namespace invited::storage
