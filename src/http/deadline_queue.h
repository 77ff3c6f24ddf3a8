// Who is to be looked at when: one queue for all connections of an I/O thread instead of a timer for each. A deadline
// that moves away costs nothing: the entry is looked at too early and put back. Used by its I/O thread only; entries
// take themselves out before they die.
#pragma once

#include <boost/intrusive/set.hpp>
#include <chrono>
#include <optional>

namespace invited::http {

class DeadlineQueue {
 public:
  using Clock = std::chrono::steady_clock;

  class Entry : public boost::intrusive::set_base_hook<boost::intrusive::optimize_size<true>> {
   public:
    virtual ~Entry() = default;
    bool operator<(const Entry& other) const { return at_ < other.at_; }

   private:
    friend class DeadlineQueue;
    /// Looks after itself; says when to look again, or nothing if it has left the queue.
    virtual std::optional<Clock::time_point> on_time(Clock::time_point now) = 0;
    Clock::time_point at_;
  };

  /// To be looked at no later than `at`. An entry that comes up sooner already stays where it is.
  void schedule(Entry& entry, Clock::time_point at) {
    if (entry.is_linked()) {
      if (entry.at_ <= at) return;
      entries_.erase(entries_.iterator_to(entry));
    }
    entry.at_ = at;
    entries_.insert(entry);
  }

  void remove(Entry& entry) {
    if (entry.is_linked()) entries_.erase(entries_.iterator_to(entry));
  }

  void run(Clock::time_point now) {
    while (!entries_.empty() && entries_.begin()->at_ <= now) {
      Entry& entry = *entries_.begin();
      entries_.erase(entries_.begin());
      if (const auto again = entry.on_time(now)) schedule(entry, *again);
    }
  }

  std::optional<Clock::time_point> next() const {
    return entries_.empty() ? std::nullopt : std::optional(entries_.begin()->at_);
  }

  template <class Function>
  void for_each(Function function) {
    for (auto it = entries_.begin(); it != entries_.end();) function(*it++);
  }

 private:
  boost::intrusive::multiset<Entry> entries_;
};

}  // namespace invited::http
