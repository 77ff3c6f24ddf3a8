// gSOAP as a function from bytes to bytes: strict, in memory, no HTTP, no socket (design.md, decision 1). Keeps the
// contexts it has used (160 KiB each) for the next calls; there are never more than calls at the same moment. Must be
// given clean envelopes only: the gate (gate.h) comes first. Thread-safe; outlives every call.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

struct soap;  // gSOAP's context

namespace invited::soap {

class Engine {
 public:
  Engine();
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Opens Envelope and Body, calls `serve` to dispatch, and returns what gSOAP wrote; or gSOAP's error status, where
  /// it refused the envelope or `serve` did not answer. `serve` must not throw.
  std::expected<std::string, int> run(std::string_view envelope, const std::function<int(::soap*)>& serve);

  /// How many contexts lie idle.
  std::size_t idle() const;

 private:
  struct Free {
    void operator()(::soap* context) const;
  };
  using Context = std::unique_ptr<::soap, Free>;

  Context take();
  void put_back(Context context) noexcept;

  mutable std::mutex mutex_;
  std::vector<Context> idle_;
};

}  // namespace invited::soap
