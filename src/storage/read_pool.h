// A few connections that only read, each on a snapshot of its own, handed to whoever comes. Thread-safe.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "domain/store.h"

namespace invited::storage {

class ReadPool {
 public:
  using Open = std::function<std::unique_ptr<class Connection>()>;

  /// Opens `size` connections. Throws DatabaseFailure.
  ReadPool(const Open& open, std::size_t size);
  ~ReadPool();

  /// Waits for a connection, for some seconds at most, and runs the work on the caller's thread.
  domain::Result<void> read(domain::Store::Work& work);

 private:
  struct Reader;

  std::unique_ptr<Reader> take();
  void give_back(std::unique_ptr<Reader> reader);

  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Reader>> free_;  // guarded by mutex_
};

}  // namespace invited::storage
