#include "domain/environment_authentication.h"

#include <array>
#include <atomic>
#include <chrono>
#include <mutex>
#include <unordered_map>

#include "base/crypto.h"
#include "base/log.h"
#include "domain/password.h"
#include "domain/rate_limit.h"

namespace invited::domain {
namespace {

using namespace std::chrono_literals;

constexpr auto kSnapshotLifetime = 2s;
/// Another instance may have revoked since what an older one says: whoever has none but that waits for the new one.
constexpr auto kOldestSnapshot = 4s;
constexpr auto kBroughtPasswordMemory = 5min;
constexpr std::size_t kMaxRemembered = 10'000;
constexpr std::size_t kSlots = 2;
/// Calls that may wait for their turn at Argon2, each with a worker of the listener. Others are told to come again.
constexpr std::size_t kMostWaiting = 8;

std::string hash_issued_password(const base::HmacSha256Key& pepper, std::string_view password) {
  return base::to_base64url(pepper.of({"environment password 1", password}));
}

Error authentication_failed() {
  return {ErrorCode::authentication_failed,
          "The environment could not be authenticated: check EnvironmentUUID and EnvironmentPassword.",
          {},
          std::nullopt};
}

/// From being there on: `valid_from` is when it was made, by a clock that may have been set back since, or by an
/// instance whose clock is a little ahead of ours.
bool is_valid_at(const PasswordSlot& slot, base::Timestamp now) { return !slot.valid_until || now < *slot.valid_until; }

}  // namespace

std::string hash_issued_password(const base::Secret& pepper, std::string_view password) {
  return hash_issued_password(base::HmacSha256Key(pepper.reveal()), password);
}

base::Secret make_environment_password() { return base::Secret(base::to_base64url(base::random_bytes(32))); }

struct EnvironmentAuthenticator::State {
  struct Snapshot {
    std::unordered_map<base::Uuid, Environment> environments;
    std::chrono::steady_clock::time_point read_at;
  };

  Store& store;
  const base::Clock& clock;
  const base::Secret pepper;
  const base::HmacSha256Key pepper_key{pepper.reveal()};
  AttemptLimiter wrong_passwords;

  /// A mutex and not std::atomic<std::shared_ptr>: GCC 12's has a data race between load and store.
  class SharedSnapshot {
   public:
    std::shared_ptr<const Snapshot> load() const {
      const std::lock_guard lock(mutex_);
      return value_;
    }
    void store(std::shared_ptr<const Snapshot> next) {
      const std::lock_guard lock(mutex_);
      value_.swap(next);
    }

   private:
    mutable std::mutex mutex_;
    std::shared_ptr<const Snapshot> value_;
  };
  SharedSnapshot snapshot;
  std::mutex reading;

  // Brought passwords that were right lately: keyed digests, never the passwords.
  std::string memory_key = base::random_bytes(32);
  std::mutex remembered_mutex;
  std::unordered_map<std::string, std::chrono::steady_clock::time_point> remembered;
  std::mutex one_argon2_at_a_time;
  std::atomic<std::size_t> waiting_for_argon2{0};
  PasswordHasher hasher;

  State(Store& store_in, const base::Clock& clock_in, base::Secret pepper_in, const Policy& policy)
      : store(store_in),
        clock(clock_in),
        pepper(std::move(pepper_in)),
        // One in `wrong_password_interval`, with the first ten at once; 0 of them: no limit, as in any rate.
        wrong_passwords(Rate{policy.wrong_passwords_per_minute == 0 ? 0U : 1U, policy.wrong_password_interval,
                             policy.wrong_passwords_per_minute}) {}

  Result<std::shared_ptr<const Snapshot>> current_snapshot() {
    const auto is_younger_than = [](auto age, const auto& candidate) {
      return candidate && std::chrono::steady_clock::now() - candidate->read_at < age;
    };
    auto current = snapshot.load();
    if (is_younger_than(kSnapshotLifetime, current)) return current;
    // One reads; the others go on with what there is, unless it is too old.
    std::unique_lock lock(reading, std::defer_lock);
    if (!lock.try_lock()) {
      if (is_younger_than(kOldestSnapshot, current)) return current;
      lock.lock();
    }
    current = snapshot.load();
    if (is_younger_than(kSnapshotLifetime, current)) return current;
    auto next = std::make_shared<Snapshot>();
    next->read_at = std::chrono::steady_clock::now();
    auto done = store.read([&](Transaction& transaction) -> Result<void> {
      next->environments.clear();  // of a run that was broken off
      for (Environment& environment : transaction.list_environments())
        next->environments.emplace(environment.id, std::move(environment));
      return {};
    });
    if (!done) return std::unexpected(std::move(done.error()));
    snapshot.store(next);
    return std::shared_ptr<const Snapshot>(next);
  }

  /// The same work whatever is there: one HMAC and two comparisons, against empty slots where there are none.
  bool matches_issued(const Environment* environment, std::string_view password, base::Timestamp now) const {
    const std::string presented = hash_issued_password(pepper_key, password);
    const std::string nothing(presented.size(), '-');
    bool matches = false;
    for (std::size_t i = 0; i < kSlots; ++i) {
      const PasswordSlot* slot =
          environment != nullptr && i < environment->passwords.size() ? &environment->passwords[i] : nullptr;
      const bool usable = slot != nullptr && slot->kind == PasswordKind::issued && is_valid_at(*slot, now);
      matches |= base::constant_time_equal(presented, usable ? slot->hash : nothing) && usable;
    }
    return matches;
  }

  bool is_remembered(const std::string& digest) {
    const std::lock_guard lock(remembered_mutex);
    const auto found = remembered.find(digest);
    return found != remembered.end() && std::chrono::steady_clock::now() - found->second < kBroughtPasswordMemory;
  }

  void remember(const std::string& digest) {
    const std::lock_guard lock(remembered_mutex);
    const auto now = std::chrono::steady_clock::now();
    if (remembered.size() >= kMaxRemembered)
      std::erase_if(remembered, [&](const auto& entry) { return now - entry.second >= kBroughtPasswordMemory; });
    if (remembered.size() < kMaxRemembered) remembered[digest] = now;
  }

  enum class Match { no, yes, not_looked_at };

  Match matches_brought(const Environment& environment, std::string_view password, base::Timestamp now, bool may_hash) {
    Match match = Match::no;
    for (const PasswordSlot& slot : environment.passwords) {
      if (slot.kind != PasswordKind::brought || !is_valid_at(slot, now)) continue;
      const std::string digest = base::hmac_sha256(memory_key, {slot.hash, "\n", password});
      if (is_remembered(digest)) return Match::yes;
      // Looked at here, and not for every password: an unknown environment must take the same time as a known one.
      if (!may_hash || !can_be_password(password)) continue;
      // Guesses from many addresses would otherwise have every worker wait here.
      const bool is_admitted = waiting_for_argon2.fetch_add(1) < kMostWaiting;
      if (is_admitted && is_right_by_argon2(slot, password, digest)) match = Match::yes;
      if (!is_admitted) match = Match::not_looked_at;
      waiting_for_argon2.fetch_sub(1);
      if (match == Match::yes) break;
    }
    return match;
  }

  bool is_right_by_argon2(const PasswordSlot& slot, std::string_view password, const std::string& digest) {
    const std::lock_guard lock(one_argon2_at_a_time);
    if (!is_remembered(digest) && !hasher.verify(slot.hash, password).correct) return false;
    remember(digest);
    return true;
  }
};

EnvironmentAuthenticator::EnvironmentAuthenticator(Store& store, const base::Clock& clock, base::Secret pepper,
                                                   const Policy& policy)
    : state_(std::make_unique<State>(store, clock, std::move(pepper), policy)) {}

EnvironmentAuthenticator::~EnvironmentAuthenticator() = default;

Result<Environment> EnvironmentAuthenticator::authenticate(std::string_view environment_uuid, std::string_view password,
                                                           std::string_view client_address) {
  const auto snapshot = state_->current_snapshot();
  if (!snapshot) return std::unexpected(snapshot.error());

  const base::Timestamp now = state_->clock.now();
  const auto id = base::Uuid::parse(environment_uuid);
  const auto found = (*snapshot)->environments.find(id.value_or(base::Uuid{}));
  const Environment* environment = found == (*snapshot)->environments.end() ? nullptr : &found->second;

  const std::string subject = id.value_or(base::Uuid{}).to_string() + ' ' + limited_as(client_address);
  const auto wait = state_->wrong_passwords.blocked(subject, now);

  // A right password always gets through, however many wrong ones came before: nobody can lock anybody out. Only
  // Argon2 is not run for those who are being slowed down.
  bool right = state_->matches_issued(environment, password, now);
  if (!right && environment != nullptr) {
    const auto match = state_->matches_brought(*environment, password, now, /*may_hash=*/!wait.has_value());
    if (match == State::Match::not_looked_at)
      return refuse(ErrorCode::unavailable, "Too many passwords are being checked. Call again in a moment.", {}, 1s);
    right = match == State::Match::yes;
  }
  if (right && !environment->disabled) {
    state_->wrong_passwords.clear(subject);
    return *environment;
  }

  // Not for who is slowed down: each call would be a line.
  if (!wait && id && !password.empty() && base::Uuid::parse(password) == id)
    base::log::warning("environment.password_is_uuid",
                       {{"environment", id->to_string()},
                        {"remedy",
                         "the caller sends its EnvironmentUUID as EnvironmentPassword: set the constant "
                         "AppCloudServices.EnvironmentPassword to the password that was issued"}});
  if (wait || state_->wrong_passwords.attempt(subject, now)) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(
        wait ? *wait : state_->wrong_passwords.blocked(subject, now).value_or(0ms));
    return refuse(ErrorCode::rate_limited,
                  "Too many wrong environment passwords from this address: try again in " +
                      std::to_string(seconds.count()) + " seconds.",
                  {}, seconds);
  }
  return std::unexpected(authentication_failed());
}

void EnvironmentAuthenticator::forget_snapshot() { state_->snapshot.store(nullptr); }

const base::Secret& EnvironmentAuthenticator::pepper() const { return state_->pepper; }

}  // namespace invited::domain
