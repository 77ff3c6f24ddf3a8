#include "domain/rate_limit.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace invited::domain {

Admission admit(const Rate& rate, base::Timestamp theoretical_arrival, base::Timestamp now) {
  if (rate.count == 0) return {true, theoretical_arrival, {}};
  // In microseconds, so that 50 a second and 10,000 a day are both exact enough; stored to the millisecond.
  using std::chrono::microseconds;
  const microseconds interval = microseconds(rate.period) / rate.count;
  const microseconds allowance = interval * std::max<std::uint32_t>(rate.burst, 1);
  // It is never stored further ahead than this: the clock was set back since.
  if (theoretical_arrival - now > allowance) theoretical_arrival = now;
  const auto next = std::max<std::chrono::sys_time<microseconds>>(theoretical_arrival, now) + interval;
  if (next - now > allowance)
    return {false, theoretical_arrival, std::chrono::ceil<std::chrono::milliseconds>(next - now - allowance)};
  return {true, std::chrono::floor<std::chrono::milliseconds>(next), {}};
}

Error too_many_attempts(std::chrono::milliseconds wait) {
  return {ErrorCode::rate_limited,
          "Too many attempts. Wait a while and try again.",
          {},
          std::chrono::ceil<std::chrono::seconds>(wait)};
}

std::string limited_as(std::string_view client_address) {
  constexpr std::size_t kNetwork = 8;  // of the 16 bytes
  std::string text(client_address);
  in6_addr address{};
  if (::inet_pton(AF_INET6, text.c_str(), &address) != 1) return text;
  std::fill(std::begin(address.s6_addr) + kNetwork, std::end(address.s6_addr), std::uint8_t{0});
  std::array<char, INET6_ADDRSTRLEN> network{};
  ::inet_ntop(AF_INET6, &address, network.data(), network.size());
  return std::string(network.data()) + "/64";
}

struct AttemptLimiter::State {
  Rate rate;
  std::size_t capacity;
  mutable std::mutex mutex;
  std::unordered_map<std::string, base::Timestamp> arrivals;

  /// Makes room: first what is over, then, if a flood of subjects fills it, the half with the least to wait.
  void make_room(base::Timestamp now) {
    std::erase_if(arrivals, [&](const auto& entry) { return entry.second <= now; });
    if (arrivals.size() < capacity) return;
    std::vector<base::Timestamp> times;
    times.reserve(arrivals.size());
    for (const auto& entry : arrivals) times.push_back(entry.second);
    const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
    std::nth_element(times.begin(), middle, times.end());
    const base::Timestamp median = *middle;
    std::erase_if(arrivals, [&](const auto& entry) { return entry.second <= median; });
  }
};

AttemptLimiter::AttemptLimiter(Rate rate, std::size_t capacity) : state_(std::make_unique<State>()) {
  state_->rate = rate;
  state_->capacity = std::max<std::size_t>(capacity, 1);
}

AttemptLimiter::~AttemptLimiter() = default;

std::optional<std::chrono::milliseconds> AttemptLimiter::attempt(std::string_view subject, base::Timestamp now) {
  const std::lock_guard lock(state_->mutex);
  if (state_->arrivals.size() >= state_->capacity) state_->make_room(now);
  base::Timestamp& arrival = state_->arrivals[std::string(subject)];
  const Admission admission = admit(state_->rate, arrival, now);
  if (!admission.admitted) return admission.wait;
  arrival = admission.theoretical_arrival;
  return std::nullopt;
}

std::optional<std::chrono::milliseconds> AttemptLimiter::blocked(std::string_view subject, base::Timestamp now) const {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->arrivals.find(std::string(subject));
  if (found == state_->arrivals.end()) return std::nullopt;
  const Admission admission = admit(state_->rate, found->second, now);
  if (admission.admitted) return std::nullopt;
  return admission.wait;
}

void AttemptLimiter::clear(std::string_view subject) {
  const std::lock_guard lock(state_->mutex);
  state_->arrivals.erase(std::string(subject));
}

}  // namespace invited::domain
