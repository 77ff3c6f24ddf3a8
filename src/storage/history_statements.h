// What ended long ago, to be exported and deleted in small steps: the statements of retention (domain/history.h). Walks
// each table in the order of its age, through indexes that are there anyway: none is added for it. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "domain/history.h"
#include "storage/connection.h"

namespace invited::storage {

class HistoryStatements {
 public:
  explicit HistoryStatements(Connection& connection);
  ~HistoryStatements();

  // As domain::Transaction promises.
  domain::HistorySlice list_ended(domain::History history, std::string_view after, base::Timestamp before,
                                  std::uint32_t limit);
  std::uint64_t erase_ended(domain::History history, std::string_view after, std::string_view end,
                            base::Timestamp before);

 private:
  struct Prepared;
  std::unique_ptr<Prepared> prepared_;
};

}  // namespace invited::storage
