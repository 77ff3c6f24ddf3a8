#include "domain/refresh_call.h"

#include "domain/store.h"

namespace invited::domain {

void queue_refresh(const Environment& environment, const base::Uuid& account_id, Transaction& transaction,
                   base::Timestamp now) {
  if (environment.refresh_url.empty()) return;
  RefreshCall call;
  call.id = base::Uuid::ordered(now);
  call.environment_id = environment.id;
  call.account_id = account_id;
  call.queued_at = now;
  call.due_at = now;
  transaction.insert(call);
}

}  // namespace invited::domain
