#include "domain/call.h"

#include <array>

namespace invited::domain {
namespace {

constexpr std::array kStates{CallState::queued, CallState::done, CallState::failed, CallState::cancelled};
constexpr std::array kOutcomes{CallOutcome::done, CallOutcome::deferred, CallOutcome::cancelled};

template <class Values>
auto parse(const Values& values, std::string_view text) -> std::optional<typename Values::value_type> {
  for (const auto value : values)
    if (to_string(value) == text) return value;
  return std::nullopt;
}

}  // namespace

std::string_view to_string(CallState state) {
  switch (state) {
    case CallState::queued:
      return "queued";
    case CallState::done:
      return "done";
    case CallState::failed:
      return "failed";
    case CallState::cancelled:
      return "cancelled";
  }
  return "queued";
}

std::optional<CallState> parse_call_state(std::string_view text) { return parse(kStates, text); }

std::string_view to_string(CallOutcome outcome) {
  switch (outcome) {
    case CallOutcome::done:
      return "done";
    case CallOutcome::deferred:
      return "deferred";
    case CallOutcome::cancelled:
      return "cancelled";
  }
  return "deferred";
}

std::optional<CallOutcome> parse_call_outcome(std::string_view text) { return parse(kOutcomes, text); }

}  // namespace invited::domain
