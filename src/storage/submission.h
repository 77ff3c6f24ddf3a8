// A unit of work on its way through a batch (group_commit.h). Values; in one thread's hands at a time.
#pragma once

#include <memory>
#include <vector>

#include "domain/store.h"

namespace invited::storage {

struct BegunWork;

/// Lives on its caller's stack until its batch is acknowledged, or in what was begun.
struct Submission {
  domain::Store::Work* work = nullptr;
  const domain::Foresight* foresight = nullptr;
  domain::Result<void> result;
  BegunWork* begun = nullptr;  ///< none: its caller waits
};

/// A unit of work whose caller does not wait, and what it is told with.
struct BegunWork {
  domain::Store::Work work;
  domain::Foresight foresight;
  domain::Store::Done done;
  Submission submission{};
};

using BegunBatch = std::vector<std::unique_ptr<BegunWork>>;

}  // namespace invited::storage
