// Fault tests have a short form, part of `./dev test`, and a long one, `./dev test faults` (INVITED_FAULTS=long): the
// same test with more rounds. CTest's limit of time is the long form's; the short form ends itself.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace invited::test {

inline bool is_long_form() {
  const char* form = std::getenv("INVITED_FAULTS");
  return form != nullptr && std::string_view(form) == "long";
}

/// How many rounds: `rounds(40, 1000)`.
inline int rounds(int short_form, int long_form) { return is_long_form() ? long_form : short_form; }

/// SIGALRM ends a short form that hangs.
inline const bool kHangingEnds = [] {
  constexpr unsigned kSeconds = 300;
  if (!is_long_form()) ::alarm(kSeconds);
  return true;
}();

}  // namespace invited::test
