// Addresses of the relay that did not answer while another one did: a new connection passes them over for a while, as
// it would wait half a minute for each. For all connections of the process; thread-safe.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>

namespace invited::mail {

class SilentAddresses {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// How long an address is passed over. Then it is tried again: it may be the better one.
  static constexpr std::chrono::minutes kPassedOver{10};

  void note(const std::string& address, Time now);
  bool contains(const std::string& address, Time now) const;
  /// To be tried again, all of them.
  void clear();

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Time> noted_at_;  ///< as many as the relay's name has
};

}  // namespace invited::mail
