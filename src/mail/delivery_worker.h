// Takes what is owed out of the outbox and delivers it. Everything about "what if delivery fails" is in this one module
// (delivery_worker.cpp, and delivery_record.cpp for the store): leases, retries, the held queue, pauses, quarantine,
// shutting down. How a mail looks (message_builder) and how it travels (transport) is decided elsewhere.
//
// What it promises (promises.md 5 to 7): each message leaves at least once, and twice only after a crash or a lost
// reply, one for each connection at most; never one whose link is dead; one bad message blocks nothing; a relay that
// turns us away costs no message an attempt.
//
// Threads: has `connections` of its own, each with a Transport and a second thread that records what became of a
// message while the next one is on its way. All public functions may be called from any thread;
// `start` and `stop` once each. What is passed in must outlive it. Stop it before the Store goes: a mail that is sent
// and cannot be recorded is sent again.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "domain/store.h"
#include "domain/token.h"
#include "mail/message_builder.h"
#include "mail/transport.h"

namespace invited::mail {

struct DeliveryOptions {
  std::uint32_t connections = 1;  ///< mails sent at once, 1 to kMostConnections
  std::chrono::milliseconds lease = std::chrono::minutes(20);
  domain::RetryPolicy retry;
  std::string public_url;                 ///< what links begin with
  std::chrono::milliseconds poll{1'000};  ///< how often it looks for what has become due, unless woken
};

/// The longest that one delivery may take under a lease of that length: what make_transport_factory() wants to know.
constexpr std::chrono::milliseconds longest_delivery(std::chrono::milliseconds lease) { return lease * 9 / 10; }

class DeliveryWorker {
 public:
  DeliveryWorker(domain::Store& store, const base::Clock& clock, const domain::TokenKeys& keys,
                 const MessageBuilder& builder, const Settings& settings, const TransportFactory& make_transport,
                 const DeliveryOptions& options);
  ~DeliveryWorker();

  /// Begins to deliver. A hold left by an earlier process is probed at once: it may have been mended.
  void start();

  /// Something was queued, or the clock was moved. Cheap; never blocks for long.
  void wake();

  /// Takes nothing new, lets deliveries under way end for at most `bound`, then breaks them off and puts their messages
  /// back without a charge. Returns when all threads have ended. Also done by the destructor.
  void stop(std::chrono::milliseconds bound = std::chrono::seconds(20));

 private:
  struct Claim;
  struct Finished;
  struct Notes;
  enum class Claiming { nothing, next, ahead };
  using Hold = std::optional<domain::MailHold>;  ///< as stored; whoever changes it stores it

  void run(std::size_t index);
  bool record_and_claim(std::vector<Finished>& finished, Claiming claiming, std::optional<Claim>& claim);
  void record(domain::Transaction& transaction, const Finished& finished, base::Timestamp now, Hold& hold,
              Notes& notes) const;
  bool record_and_claim_ahead(std::vector<Finished>& finished, Claiming claiming);
  /// Until the next probe of a queue that is held.
  bool forbids_claims(const Hold& hold, base::Timestamp now) const;
  std::optional<Claim> claim_one(domain::Transaction& transaction, Claiming claiming, base::Timestamp now,
                                 Hold& hold) const;
  bool is_one_of_ours_over(base::Timestamp now) const;
  void forget(const domain::Lease& lease);
  bool may_still_send(const Claim& claim) const;
  bool may_claim_ahead(const Claim& under_way) const;
  static Finished put_back(const Claim& claim);
  Finished attempt(const Claim& claim, Transport& transport, std::function<bool()> may_complete) const;
  void log_outcome(const Finished& finished, const Notes& notes) const;
  static void log_not_recorded(const Finished& finished);
  void log_hold(const Finished& finished, const Notes& notes) const;

  bool may_try_relay(std::size_t index);
  void give_up_turn(std::size_t index);
  void note_relay(std::size_t index, Finished& finished);
  bool is_one_too_many(std::size_t index, const Finished& finished) const;
  bool sits_out(std::size_t index) const;
  bool wait_before_recording_again(const Finished& finished, int tries);
  void wait_for_work(std::size_t index, std::uint64_t seen);
  bool is_stopping() const;

  domain::Store& store_;
  const base::Clock& clock_;
  const domain::TokenKeys& keys_;
  const MessageBuilder& builder_;
  const Settings settings_;
  const DeliveryOptions options_;
  const TransportFactory make_transport_;

  std::vector<std::unique_ptr<Transport>> transports_;
  std::vector<std::thread> threads_;

  mutable std::mutex mutex_;
  std::condition_variable queued_;   ///< for who waits for work: behind a hold now and then
  std::condition_variable changed_;  ///< anything else
  // Guarded by mutex_:
  bool stopping_ = false;
  std::uint64_t wakes_ = 0;
  bool is_held_ = false;  ///< when the store was asked last
  std::size_t running_ = 0;
  // The relay asked for a pause, or connections break: no claim until then, then one at a time until one succeeds.
  std::uint32_t pauses_ = 0;
  base::Timestamp paused_until_{};
  std::optional<std::size_t> tester_;  ///< the thread that tries it meanwhile
  /// A thread whose connection the relay did not take beside the others'.
  struct SittingOut {
    std::uint32_t times = 0;
    base::Timestamp until{};
  };
  std::vector<SittingOut> sitting_out_;  ///< by the thread's index
  std::size_t last_sender_ = 0;
  std::optional<std::chrono::steady_clock::time_point> last_sent_at_;
  std::vector<Claim> ahead_;  ///< claimed, for the next thread that has time
  /// Our leases whose outcome is not recorded yet, and when each ends.
  std::map<base::Uuid, base::Timestamp> under_way_;
};

}  // namespace invited::mail
