// A thread that does one thing at a time for another one, which goes on meanwhile and waits for it before it needs the
// outcome. Belongs to the thread that made it; only the work runs elsewhere. The work must not throw.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace invited::mail {

class SideThread {
 public:
  SideThread() : thread_([this] { run(); }) {}
  ~SideThread() {
    wait();
    {
      const std::lock_guard lock(mutex_);
      ends_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  SideThread(const SideThread&) = delete;
  SideThread& operator=(const SideThread&) = delete;

  /// Nothing else may be under way.
  void start(std::function<void()> work) {
    {
      const std::lock_guard lock(mutex_);
      work_ = std::move(work);
    }
    changed_.notify_all();
  }
  /// Until what was started is done; at once where nothing was.
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !work_; });
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return work_ || ends_; });
      if (!work_) return;
      lock.unlock();
      work_();
      lock.lock();
      work_ = nullptr;
      lock.unlock();
      changed_.notify_all();  // not under the lock, which is what the other one then waits for
      lock.lock();
    }
  }

  std::mutex mutex_;
  // Not a semaphore: libstdc++'s asks the scheduler for other threads a dozen times before it sleeps.
  std::condition_variable changed_;
  std::function<void()> work_;  ///< under way, or to begin
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace invited::mail
