#include "mail/silent_addresses.h"

#include "base/log.h"

namespace invited::mail {

void SilentAddresses::note(const std::string& address, Time now) {
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(noted_at_, [now](const auto& noted) { return now - noted.second >= kPassedOver; });
    if (!noted_at_.insert_or_assign(address, now).second) return;
  }
  base::log::warning("mail.address_silent",
                     {{"address", address},
                      {"effect", "passed over for ten minutes, as another address of the relay answers"},
                      {"remedy", "mend it, or take it out of what mail.host resolves to"}});
}

bool SilentAddresses::contains(const std::string& address, Time now) const {
  const std::lock_guard lock(mutex_);
  const auto found = noted_at_.find(address);
  return found != noted_at_.end() && now - found->second < kPassedOver;
}

void SilentAddresses::clear() {
  const std::lock_guard lock(mutex_);
  noted_at_.clear();
}

}  // namespace invited::mail
