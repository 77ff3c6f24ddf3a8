// Whose mail comes next where several environments have mails due: they take turns. Filled by walking over the queue,
// again and again, and so some steps behind it: what it names may be gone by now, and what came since is met on the
// next walk. In memory only, and bounded. Used by one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "base/uuid.h"

namespace invited::storage {

class MailTurns {
 public:
  /// So many mails of an environment are remembered, the oldest, and of so many environments: a walk meets them anew.
  static constexpr std::size_t kMailsOfEach = 32;
  static constexpr std::size_t kEnvironments = 1'000;

  /// A mail that is due, in the order of the queue. `environment` is nil for mails that belong to none.
  void note(const base::Uuid& environment, const base::Uuid& mail);
  /// The walk came to the end of the queue: who was not met has nothing due.
  void end_walk();

  /// A mail of the environment after the one that was served last; nothing where only one waits.
  std::optional<base::Uuid> take();
  /// A mail of that environment was claimed, in turn or not.
  void served(const base::Uuid& environment) { last_ = environment; }

 private:
  struct Waiting {
    std::uint64_t walk = 0;
    std::deque<base::Uuid> mails;
  };
  std::map<base::Uuid, Waiting> waiting_;  ///< by environment
  std::uint64_t walk_ = 1;
  base::Uuid last_{};
};

}  // namespace invited::storage
