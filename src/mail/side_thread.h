// A thread that does one thing at a time for another one, which goes on meanwhile and waits for it before it needs the
// outcome. Belongs to the thread that made it; only the work runs elsewhere. The work must not throw.
#pragma once

#include <functional>
#include <semaphore>
#include <thread>
#include <utility>

namespace invited::mail {

class SideThread {
 public:
  SideThread() : thread_([this] { run(); }) {}
  ~SideThread() {
    wait();
    begin_.release();  // without work: the end
    thread_.join();
  }
  SideThread(const SideThread&) = delete;
  SideThread& operator=(const SideThread&) = delete;

  /// Nothing else may be under way.
  void start(std::function<void()> work) {
    work_ = std::move(work);
    busy_ = true;
    begin_.release();
  }
  /// Until what was started is done; at once where nothing was.
  void wait() {
    if (!busy_) return;
    done_.acquire();
    busy_ = false;
    work_ = nullptr;
  }

 private:
  void run() {
    for (;;) {
      begin_.acquire();
      if (!work_) return;
      work_();
      done_.release();
    }
  }

  std::function<void()> work_;
  bool busy_ = false;
  std::binary_semaphore begin_{0};
  std::binary_semaphore done_{0};
  std::thread thread_;
};

}  // namespace invited::mail
