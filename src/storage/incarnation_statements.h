// The SQL of where a database belongs: the keys it is bound to, the incarnations under which folders serve it
// (domain/incarnation.h). One per connection; used by its thread. Throws StorageFailure.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "domain/incarnation.h"
#include "storage/connection.h"

namespace invited::storage {

class IncarnationStatements {
 public:
  explicit IncarnationStatements(Connection& connection);
  ~IncarnationStatements();

  std::optional<domain::KeyBinding> find_key_binding();
  void set_key_binding(const domain::KeyBinding& binding);
  std::vector<domain::Incarnation> list_incarnations();
  void set_incarnation(const domain::Incarnation& incarnation);
  void erase_incarnations();

 private:
  struct Prepared;
  std::unique_ptr<Prepared> prepared_;
};

}  // namespace invited::storage
