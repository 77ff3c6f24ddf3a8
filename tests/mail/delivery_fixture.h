// A real store with an outbox, a clock that the test moves, and a delivery worker whose transport does what the test
// says. The worker looks often, so that moving the clock is enough.
#pragma once

#include <gmock/gmock.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "mail/delivery_worker.h"
#include "mail/link.h"
#include "mail/sample_message.h"
#include "storage/sqlite_store.h"
#include "support/manual_clock.h"
#include "support/temporary_directory.h"

namespace invited::mail {

/// What all FakeTransports of a test share: what they were given, and what they answer.
class Relay {
 public:
  struct Delivery {
    Envelope envelope;
    std::string bytes;
  };
  using Answer = std::function<domain::DeliveryResult(const Envelope&)>;

  domain::DeliveryResult take(const Envelope& envelope, const std::string& bytes) {
    Answer answer;
    {
      const std::lock_guard lock(mutex_);
      deliveries_.push_back({envelope, bytes});
      answer = answer_;
    }
    changed_.notify_all();
    return answer(envelope);
  }

  void answer(Answer answer) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
  }
  void answer(domain::DeliveryResult result) {
    answer([result](const Envelope&) { return result; });
  }

  std::vector<Delivery> deliveries() const {
    const std::lock_guard lock(mutex_);
    return deliveries_;
  }
  std::size_t count() const { return deliveries().size(); }
  bool wait_for(std::size_t count) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return deliveries_.size() >= count; });
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<Delivery> deliveries_;
  Answer answer_ = [](const Envelope&) {
    return domain::DeliveryResult{domain::DeliveryOutcome::sent, 250, "message", "queued"};
  };
};

class FakeTransport final : public Transport {
 public:
  explicit FakeTransport(Relay& relay) : relay_(relay) {}
  domain::DeliveryResult deliver(const Envelope& envelope, const std::string& bytes) override {
    return relay_.take(envelope, bytes);
  }
  void close() override {}
  void interrupt() override {}

 private:
  Relay& relay_;
};

class DeliveryTest : public testing::Test {
 protected:
  DeliveryTest() {
    options_.public_url = test::kPublicUrl;
    options_.poll = std::chrono::milliseconds(5);
    options_.connections = 1;
    options_.retry.jitter = 0;
    open_store();
    write([this](domain::Transaction& transaction) { world_.insert_into(transaction); });
  }
  ~DeliveryTest() override { worker_.reset(); }

  void open_store() {
    storage::SqliteOptions options;
    options.path = folder_ / "invited.db";
    options.watermark_bytes = 0;
    auto store = storage::open_sqlite_store(options, clock_);
    if (!store) throw std::runtime_error(store.error().message);
    store_ = std::move(*store);
  }

  void start() {
    start([this] { return std::make_unique<FakeTransport>(relay_); }, *store_);
  }
  void start(const TransportFactory& make_transport, domain::Store& store) {
    worker_ = std::make_unique<DeliveryWorker>(store, clock_, keys_, *builder_, settings_, make_transport, options_);
    worker_->start();
  }

  void write(const std::function<void(domain::Transaction&)>& work) {
    const auto done = store_->write([&](domain::Transaction& transaction) -> domain::Result<void> {
      work(transaction);
      return {};
    });
    ASSERT_TRUE(done) << done.error().message;
  }

  /// Queues an invitation's mail, due now.
  domain::OutboxMessage queue(const std::string& email,
                              const std::function<void(domain::OutboxMessage&)>& change = {}) {
    const domain::Invitation invitation = world_.invitation(email, clock_.now());
    domain::OutboxMessage message = world_.message(invitation);
    if (change) change(message);
    write([&](domain::Transaction& transaction) {
      transaction.insert(invitation);
      transaction.insert(message);
    });
    return message;
  }

  domain::OutboxMessage stored(const domain::OutboxMessage& message) {
    std::optional<domain::OutboxMessage> found;
    write([&](domain::Transaction& transaction) { found = transaction.find_message(message.id); });
    return *found;
  }
  std::vector<domain::Attempt> attempts(const domain::OutboxMessage& message) {
    std::vector<domain::Attempt> found;
    write([&](domain::Transaction& transaction) { found = transaction.list_attempts(message.id); });
    return found;
  }
  std::optional<domain::MailHold> hold() {
    std::optional<domain::MailHold> found;
    write([&](domain::Transaction& transaction) { found = transaction.find_mail_hold(); });
    return found;
  }

  /// Looks until it is so; the worker tells nobody when it has recorded an outcome.
  bool eventually(const std::function<bool()>& condition) {
    for (int i = 0; i < 4'000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }
  bool becomes(const domain::OutboxMessage& message, domain::MessageState state) {
    return eventually([&] { return stored(message).state == state; });
  }
  /// The attempt's outcome is recorded, whatever it was.
  bool is_recorded(const domain::OutboxMessage& message, std::size_t number) {
    return eventually([&] {
      const auto all = attempts(message);
      return all.size() >= number && all[number - 1].finished_at.has_value();
    });
  }
  /// Time for several looks of the worker: for showing that nothing happens.
  static void let_it_look() { std::this_thread::sleep_for(std::chrono::milliseconds(60)); }

  test::TemporaryDirectory folder_;
  test::ManualClock clock_;
  test::SampleWorld world_;
  Settings settings_ = test::sample_settings();
  domain::TokenKeys keys_{{{1, base::Secret(std::string(32, 'k'))}}, 1};
  DeliveryOptions options_;
  Relay relay_;
  std::unique_ptr<MessageBuilder> builder_ = std::make_unique<MessageBuilder>(settings_);
  std::unique_ptr<domain::Store> store_;
  std::unique_ptr<DeliveryWorker> worker_;
};

}  // namespace invited::mail
