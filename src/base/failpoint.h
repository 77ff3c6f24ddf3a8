// Places at which a test can make the process die, to see what survives: `INVITED_FAILPOINT=name[:count]` in the
// environment kills the process (as kill -9 would) when the named point is passed for the count-th time.
// Compiled to nothing in release builds. Thread-safe.
#pragma once

#include <string_view>

namespace invited::base {

#ifdef INVITED_FAILPOINTS
void failpoint(std::string_view name);
#else
inline void failpoint(std::string_view) {}
#endif

}  // namespace invited::base
