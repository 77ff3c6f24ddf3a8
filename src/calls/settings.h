// The settings `refresh.*` and `webhook.*` as this module needs them; filled from the settings table by main. Plain
// values, immutable once handed over.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>

#include "domain/outbox_message.h"

namespace invited::calls {

struct Settings {
  std::uint32_t connections = 4;                                         ///< calls made at once, 1 to 16
  std::chrono::milliseconds timeout = std::chrono::seconds(30);          ///< for a call as a whole
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(10);  ///< of that, until connected and encrypted
  std::filesystem::path ca_file;                                         ///< PEM; empty: the system's authorities
  domain::RetryPolicy retry;
  bool allow_private = true;  ///< addresses that only this machine or its network reaches (private_address.h)
};

}  // namespace invited::calls
