// What one kind of calls adds to the worker that makes them (call_worker.h): where a call goes and what it says, what
// an answer means, how its log lines are called. Implemented by refresh/ and webhook/. Thread-safe.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "calls/http_caller.h"
#include "domain/store.h"

namespace invited::calls {

/// A call as it is to be made now.
struct PreparedCall {
  HttpRequest request;
  std::string subject;  ///< for the log, under CallWords::subject; neither address nor URL
};

/// What log lines of one kind are made of.
struct CallWords {
  std::string_view kind;     ///< "refresh": events are refresh.done, refresh.deferred, …
  std::string_view target;   ///< "environment"
  std::string_view subject;  ///< "account"
};

class CallSource {
 public:
  virtual ~CallSource() = default;

  virtual domain::CallKind kind() const = 0;
  virtual CallWords words() const = 0;
  /// Where calls to that target go now; empty: nowhere.
  virtual std::string url_of(const base::Uuid& target_id, domain::Transaction& transaction) const = 0;
  /// Or the result without a call: cancelled, mostly.
  virtual std::expected<PreparedCall, domain::CallResult> prepare(const domain::CallLease& lease,
                                                                  domain::Transaction& transaction,
                                                                  base::Timestamp now) const = 0;
  /// What an answer means (HttpAnswer::How::answered).
  virtual domain::CallResult judge(const HttpAnswer& answer) const = 0;
  /// What else a result brings about, in the transaction that records it.
  virtual void record(const domain::CallLease& lease, const domain::CallResult& result,
                      domain::Transaction& transaction, base::Timestamp now) const = 0;
};

}  // namespace invited::calls
