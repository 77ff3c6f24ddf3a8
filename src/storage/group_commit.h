// Many callers, one writer thread, one commit for many units of work: the writer takes all that has queued up while it
// was busy, has it run as one batch, and then lets the batch's callers go on. The longer a commit takes, the more share
// the next one; but where many wait, a batch is not more than half of all that is under way: were all callers in one,
// none would prepare the next call while it is written, and then all would do so at once while nothing is. What a batch
// does to the database is BatchRunner's (batch_writer.h).
//
// Threads: submit and begin may be called by any number of threads; submit blocks without spinning. The runner is
// called by the writer thread only, except `health`.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "domain/store.h"
#include "storage/completion_thread.h"
#include "storage/submission.h"

namespace invited::storage {

class BatchRunner {
 public:
  enum class Health {
    good,
    failing,  ///< the last commit did not succeed, the next one may
    broken,   ///< nothing may be written any more
  };

  virtual ~BatchRunner() = default;
  /// Runs the batch to its commit and sets every result. Does not throw.
  virtual void run(std::span<Submission* const> batch) = 0;
  /// After the batch's callers were let go, and every second while idle.
  virtual void rest() = 0;
  /// After the last batch.
  virtual void end() {}
  /// Thread-safe.
  virtual Health health() const = 0;
};

class GroupCommit {
 public:
  struct Limits {
    std::size_t queue = 4'096;  ///< new work beyond it is refused; owed work has as much again
    std::size_t batch = 512;    ///< as Submission::size() counts; one that is larger makes a batch of its own
    std::size_t begun = 256;    ///< as many are begun and not told yet: who begins one more waits for it
    /// So many may all be in one batch although nothing else is under way: another sync costs more than it brings.
    std::size_t undivided = 32;
  };

  /// The runner outlives it.
  GroupCommit(BatchRunner& runner, Limits limits);
  /// Finishes what was taken and waits until its callers have left, or were told. Nobody may call submit or begin any
  /// more.
  ~GroupCommit();
  GroupCommit(const GroupCommit&) = delete;
  GroupCommit& operator=(const GroupCommit&) = delete;

  domain::Result<void> submit(domain::Store::Work& work, domain::Urgency urgency,
                              const domain::Foresight& foresight = {});
  /// See Store::begin_write.
  void begin(domain::Store::Work work, domain::Urgency urgency, const domain::Foresight& foresight,
             domain::Store::Done done);
  bool is_ready() const;
  void drain() { draining_.store(true); }
  /// Units of work that the writer has not taken yet.
  std::size_t queued();

 private:
  // Batches are numbered from 1 and finish in order. Each slot tells the last one finished of those that share it; two
  // that are open at once share one only where batches are tiny, and then it costs a spurious wake at most.
  static constexpr std::size_t kSlots = 64;

  /// Why nothing of this urgency is taken now.
  std::optional<domain::Error> refusal(domain::Urgency urgency) const;
  /// Says which batch it will be part of. False: the queue is full.
  bool enqueue(Submission& submission, domain::Urgency urgency);
  /// Half of what runs and waits, within limits. With the mutex.
  std::size_t limit_of_open_batch() const;
  void wait_for(std::uint32_t batch);
  /// Waits for work. False: there is none and there will be none.
  bool take(std::vector<Submission*>& batch);
  void acknowledge(const std::vector<Submission*>& batch);
  void run();
  void ring();

  BatchRunner& runner_;
  const Limits limits_;
  std::array<std::atomic<std::uint32_t>, kSlots> finished_{};
  std::atomic<bool> draining_{false};
  std::atomic<std::size_t> inside_{0};  ///< callers in submit and begin; the last that they touch of this
  std::atomic<std::size_t> begun_{0};   ///< and not told yet
  std::atomic<std::uint32_t> bell_{0};  ///< changes when the writer, asleep, has to look again

  std::mutex mutex_;  // guards what follows
  std::deque<Submission*> queue_;
  std::uint32_t open_batch_ = 1;  ///< what comes next is part of it
  std::size_t open_size_ = 0;
  std::size_t queued_size_ = 0;
  std::size_t running_size_ = 0;  ///< of the batch that the writer took last
  std::uint32_t next_batch_ = 1;  ///< what the writer takes next
  bool writer_sleeps_ = false;
  bool stopping_ = false;

  CompletionThread completions_;
  std::thread writer_;
};

}  // namespace invited::storage
