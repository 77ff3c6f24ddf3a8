// A database that refuses, or does not tell.
#pragma once

#include <optional>
#include <utility>

#include "domain/store.h"

namespace invited::http {

/// The real store, but its answers can be a refusal.
class FailingStore final : public domain::Store {
 public:
  explicit FailingStore(domain::Store& store) : store_(store) {}
  domain::Result<void> write(Work work, domain::Urgency urgency, const domain::Foresight& foresight) override {
    if (write_error) return std::unexpected(*write_error);
    return store_.write(std::move(work), urgency, foresight);
  }
  domain::Result<void> read(Work work) override {
    if (read_error) return std::unexpected(*read_error);
    return store_.read(std::move(work));
  }
  bool is_ready() const override { return store_.is_ready(); }
  void drain() override { store_.drain(); }

  std::optional<domain::Error> write_error, read_error;

 private:
  domain::Store& store_;
};

}  // namespace invited::http
