// The SQL of what belongs to a person beside the account: profile and sessions. One per connection; used by its thread.
// Throws StorageFailure. (Sessions that are over are deleted by RecordStatements::prune.)
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "base/uuid.h"
#include "domain/account.h"
#include "domain/profile.h"
#include "storage/connection.h"

namespace invited::storage {

class PersonStatements {
 public:
  explicit PersonStatements(Connection& connection);
  ~PersonStatements();

  domain::Profile find_profile(const base::Uuid& account_id);
  void set_profile(const base::Uuid& account_id, const domain::Profile& profile);

  void insert(const domain::Session& session);
  std::optional<domain::Session> find_session(std::string_view token_hash);
  bool erase_session(std::string_view token_hash);
  void erase_sessions(const base::Uuid& account_id);
  void erase_all_sessions();

 private:
  struct Prepared;
  std::unique_ptr<Prepared> prepared_;
};

}  // namespace invited::storage
