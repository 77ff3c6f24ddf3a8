#include "retention.h"

#include <algorithm>

#include "base/failpoint.h"
#include "base/log.h"

namespace invited {
namespace {

using domain::History;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

// A step that took t is followed by a pause of 20t: at most a twentieth of the time, less when others wait for the
// disk. At fifty a step that is still a million a day on a slow one.
constexpr int kRest = 20;
constexpr milliseconds kShortestRest = 50ms;
constexpr milliseconds kLongestRest = 2s;
/// After a step that found nothing to delete, and so kept nobody waiting.
constexpr milliseconds kLookingRest = 10ms;
/// Where one such step follows another, each looks further than the one before.
constexpr std::uint32_t kFurthestLook = 1'000;

/// A clock that is ahead by less makes nothing history that is pending: the shortest age is four times as long.
constexpr std::chrono::hours kFarAhead{7 * 24};
constexpr milliseconds kDoubtingRest = 1min;

/// When the database was served last: whoever serves it says so each minute (restore_guard.h). Now, where nobody did.
base::Timestamp served_last(domain::Store& store, base::Timestamp now) {
  const auto found = domain::read_returning(
      store, [&](domain::Transaction& transaction) -> domain::Result<std::optional<base::Timestamp>> {
        std::optional<base::Timestamp> last;
        for (const domain::Incarnation& incarnation : transaction.list_incarnations())
          last = std::max(last.value_or(incarnation.since), incarnation.since);
        return last;
      });
  return found ? found->value_or(now) : now;
}

}  // namespace

Retention::Retention(domain::Store& store, const base::Clock& clock, const Config::Retention& settings)
    : Retention(store, clock, settings, Pace{}) {}

Retention::Retention(domain::Store& store, const base::Clock& clock, const Config::Retention& settings, Pace pace)
    : store_(store),
      clock_(clock),
      pace_(pace),
      believed_(served_last(store, clock.now())),
      believed_at_(std::chrono::steady_clock::now()) {
  // Mails of an invitation go with it; what is left of the others' attempts comes after.
  const Walk all[] = {{History::invitations, settings.invitations},     {History::mails, settings.attempts},
                      {History::attempts, settings.attempts},           {History::refresh_calls, settings.attempts},
                      {History::webhook_deliveries, settings.attempts}, {History::audit_events, settings.audit_events}};
  for (const Walk& walk : all)
    if (walk.age > 0ms) walks_.push_back(walk);
  if (!settings.export_dir.empty()) export_.emplace(settings.export_dir);
}

milliseconds Retention::step() {
  if (walks_.empty()) return pace_.interval;
  if (walk_ == 0 && after_.empty()) {
    if (!trusts_clock()) return kDoubtingRest;
    begin_pass();
  }
  const auto begin = std::chrono::steady_clock::now();
  const auto slice = find();
  if (!slice) return give_up(slice.error());
  milliseconds rest = kLookingRest;
  if (slice->empty()) {
    look_ = std::min(2 * look_, std::max(kFurthestLook, pace_.step));
  } else if (look_ > pace_.step) {
    look_ = pace_.step;  // too many to delete at once, perhaps
    return rest;
  } else {
    if (const auto done = export_and_erase(*slice); !done) return give_up(done.error());
    const auto took = std::chrono::ceil<milliseconds>(std::chrono::steady_clock::now() - begin);
    rest = std::clamp(took * kRest, kShortestRest, kLongestRest);
  }
  after_ = slice->end;
  if (!slice->is_last) return rest;
  after_.clear();
  look_ = pace_.step;
  return ++walk_ < walks_.size() ? rest : end_pass();
}

bool Retention::trusts_clock() {
  const auto steady = std::chrono::steady_clock::now();
  const base::Timestamp now = clock_.now();
  if (now - believed_ - (steady - believed_at_) > kFarAhead) {
    if (!doubted_since_) {
      doubted_since_ = steady;
      base::log::warning(
          "retention.waits",
          {{"reason", "the clock is more than a week ahead of when the service was last seen to run"},
           {"clock", base::to_rfc3339(now)},
           {"last_seen", base::to_rfc3339(believed_)},
           {"remedy", "set the clock if it is wrong: in an hour it is believed, and what is old by it goes"}});
    }
    if (steady - *doubted_since_ < pace_.patience) return false;
  }
  doubted_since_.reset();
  believed_ = now;
  believed_at_ = steady;
  return true;
}

void Retention::begin_pass() {
  began_at_ = clock_.now();
  look_ = pace_.step;
  erased_.clear();
}

milliseconds Retention::end_pass() {
  walk_ = 0;
  base::log::info("retention.done",
                  {{"invitations", erased_[History::invitations]},
                   {"mails", erased_[History::mails]},
                   {"attempts", erased_[History::attempts]},
                   {"refresh_calls", erased_[History::refresh_calls]},
                   {"webhook_deliveries", erased_[History::webhook_deliveries]},
                   {"audit_events", erased_[History::audit_events]},
                   {"seconds", std::chrono::ceil<std::chrono::seconds>(clock_.now() - began_at_).count()}});
  return pace_.interval;
}

milliseconds Retention::give_up(const domain::Error& error) {
  walk_ = 0;
  after_.clear();
  base::log::warning("retention.failed", {{"reason", error.message}});
  return pace_.after_failure;
}

domain::Result<domain::HistorySlice> Retention::find() {
  const Walk& walk = walks_[walk_];
  return domain::read_returning(store_, [&](domain::Transaction& transaction) -> domain::Result<domain::HistorySlice> {
    return transaction.list_ended(walk.history, after_, began_at_ - walk.age, look_);
  });
}

domain::Result<void> Retention::export_and_erase(const domain::HistorySlice& slice) {
  const Walk& walk = walks_[walk_];
  if (export_)
    if (auto exported = export_->append(walk.history, slice, clock_.now()); !exported) return exported;
  base::failpoint("retention_exported");
  const auto erased = domain::write_returning(
      store_,
      [&](domain::Transaction& transaction) -> domain::Result<std::uint64_t> {
        return transaction.erase_ended(walk.history, after_, slice.end, began_at_ - walk.age);
      },
      domain::Urgency::owed);
  if (!erased) return std::unexpected(erased.error());
  base::failpoint("retention_erased");
  erased_[walk.history] += *erased;
  return {};
}

}  // namespace invited
