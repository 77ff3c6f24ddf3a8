// The SQL of API tokens. One per connection; used by its thread. Throws StorageFailure.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "domain/store.h"
#include "storage/connection.h"

namespace invited::storage {

class ApiTokenStatements {
 public:
  explicit ApiTokenStatements(Connection& connection);
  ~ApiTokenStatements();

  void insert(const domain::ApiToken& token);
  std::optional<domain::ApiToken> find_api_token(std::string_view hash);
  std::optional<domain::ApiToken> find_api_token(const base::Uuid& id);
  std::vector<domain::ApiToken> list_api_tokens(const std::optional<base::Uuid>& environment_id,
                                                const domain::Page& page);
  bool revoke_api_token(const base::Uuid& id, base::Timestamp now);
  void note_use_of_api_token(const base::Uuid& id, base::Timestamp now);

 private:
  struct Prepared;
  std::unique_ptr<Prepared> prepared_;
};

}  // namespace invited::storage
