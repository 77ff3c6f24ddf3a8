// Random waits, so that instances that were thrown out together do not come back together.
#pragma once

#include <chrono>

#include "base/crypto.h"

namespace invited::storage {

/// Half to all of it.
inline std::chrono::milliseconds jittered(std::chrono::milliseconds longest) {
  const auto half = static_cast<double>(longest.count()) / 2;
  return std::chrono::milliseconds(static_cast<long long>(half + half * base::random_fraction()));
}

}  // namespace invited::storage
