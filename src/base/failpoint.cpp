#include "base/failpoint.h"

#ifdef INVITED_FAILPOINTS

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string>

namespace invited::base {

void failpoint(std::string_view name) {
  struct Setting {
    std::string name;
    std::atomic<long> left{1};
    Setting() {
      const char* text = std::getenv("INVITED_FAILPOINT");
      if (text == nullptr) return;
      name = text;
      if (const auto colon = name.find(':'); colon != std::string::npos) {
        left = std::atol(name.c_str() + colon + 1);
        name.resize(colon);
      }
    }
  };
  static Setting setting;
  if (setting.name == name && --setting.left == 0) std::raise(SIGKILL);
}

}  // namespace invited::base

#endif
