// The TLS handshakes of an I/O thread that are not over, oldest first. OpenSSL takes some 40 to 60 KiB for each, so
// that clients who never go on would have a gigabyte of them. Beyond a limit the oldest are given up, unless they are
// still young: then many come at once, as after a restart, and are soon done. Used by its I/O thread only; entries take
// themselves out before they die.
#pragma once

#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstddef>

namespace invited::http {

class Handshakes {
 public:
  using Clock = std::chrono::steady_clock;

  class Entry : public boost::intrusive::list_base_hook<> {
   public:
    virtual ~Entry() = default;

   private:
    friend class Handshakes;
    /// Leaves.
    virtual void give_up() = 0;
    Clock::time_point since_;
  };

  Handshakes(std::size_t most, std::chrono::milliseconds patience) : most_(most), patience_(patience) {}

  /// What is there already keeps its place.
  void add(Entry& entry, Clock::time_point now) {
    if (entry.is_linked()) return;
    entry.since_ = now;
    entries_.push_back(entry);
    while (entries_.size() > most_ && now - entries_.front().since_ > patience_) entries_.front().give_up();
  }

  void remove(Entry& entry) {
    if (entry.is_linked()) entries_.erase(entries_.iterator_to(entry));
  }

 private:
  const std::size_t most_;
  const std::chrono::milliseconds patience_;
  boost::intrusive::list<Entry> entries_;
};

}  // namespace invited::http
