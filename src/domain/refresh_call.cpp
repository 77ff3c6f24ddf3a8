#include "domain/refresh_call.h"

#include <array>

#include "domain/store.h"

namespace invited::domain {
namespace {

constexpr std::array kStates{RefreshState::queued, RefreshState::done, RefreshState::failed, RefreshState::cancelled};
constexpr std::array kOutcomes{RefreshOutcome::done, RefreshOutcome::deferred, RefreshOutcome::cancelled};

template <class Values>
auto parse(const Values& values, std::string_view text) -> std::optional<typename Values::value_type> {
  for (const auto value : values)
    if (to_string(value) == text) return value;
  return std::nullopt;
}

}  // namespace

std::string_view to_string(RefreshState state) {
  switch (state) {
    case RefreshState::queued:
      return "queued";
    case RefreshState::done:
      return "done";
    case RefreshState::failed:
      return "failed";
    case RefreshState::cancelled:
      return "cancelled";
  }
  return "queued";
}

std::optional<RefreshState> parse_refresh_state(std::string_view text) { return parse(kStates, text); }

std::string_view to_string(RefreshOutcome outcome) {
  switch (outcome) {
    case RefreshOutcome::done:
      return "done";
    case RefreshOutcome::deferred:
      return "deferred";
    case RefreshOutcome::cancelled:
      return "cancelled";
  }
  return "deferred";
}

std::optional<RefreshOutcome> parse_refresh_outcome(std::string_view text) { return parse(kOutcomes, text); }

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
