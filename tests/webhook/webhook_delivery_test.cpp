// What becomes of deliveries: a real store, a real receiver, a clock that the test moves. What calls of every kind have
// in common (leases, silence, stopping) is in tests/refresh/refresh_worker_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "calls/call_worker.h"
#include "domain/manage_webhooks.h"
#include "storage/sqlite_store.h"
#include "support/manual_clock.h"
#include "support/sample_data.h"
#include "support/scripted_app.h"
#include "support/temporary_directory.h"
#include "webhook/signature.h"
#include "webhook/webhook_source.h"

namespace invited::webhook {
namespace {

using domain::CallKind;
using domain::CallState;
using domain::EventType;
using domain::Webhook;
using domain::WebhookDelivery;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using test::http_answer;
using test::ScriptedApp;
using testing::HasSubstr;
using testing::Not;

class WebhookDeliveryTest : public testing::Test {
 protected:
  WebhookDeliveryTest() {
    settings_.retry.jitter = 0;
    settings_.connections = 4;
    settings_.allow_private = true;
    options_.poll = milliseconds(5);
    options_.most_at_once = 2;
    storage::SqliteOptions options;
    options.path = folder_ / "invited.db";
    options.watermark_bytes = 0;
    auto store = storage::open_sqlite_store(options, clock_);
    if (!store) throw std::runtime_error(store.error().message);
    store_ = std::move(*store);
    write([this](domain::Transaction& t) { world_.insert_into(t); });
    receiver_.answer(http_answer("204 No Content", ""));
  }
  ~WebhookDeliveryTest() override { worker_.reset(); }

  void start() {
    source_ = std::make_unique<WebhookSource>(pepper_, settings_.allow_private);
    worker_ = std::make_unique<calls::CallWorker>(*store_, clock_, *source_, settings_, options_);
    worker_->start();
  }

  void write(const std::function<void(domain::Transaction&)>& work) {
    const auto done = store_->write([&](domain::Transaction& t) -> domain::Result<void> {
      work(t);
      return {};
    });
    ASSERT_TRUE(done) << done.error().message;
  }
  template <class Query>
  auto read(Query query) {
    using Found = std::invoke_result_t<Query, domain::Transaction&>;
    auto found =
        domain::read_returning(*store_, [&](domain::Transaction& t) -> domain::Result<Found> { return query(t); });
    if (!found) throw std::runtime_error(found.error().message);
    return *std::move(found);
  }

  Webhook add(const std::string& url) {
    auto webhook = test::sample_webhook(world_.environment);
    webhook.url = url;
    write([&](domain::Transaction& t) { t.insert(webhook); });
    return webhook;
  }
  WebhookDelivery queue(const Webhook& webhook) {
    const auto delivery = test::sample_delivery(webhook, clock_.now());
    write([&](domain::Transaction& t) { t.insert(delivery); });
    return delivery;
  }
  WebhookDelivery stored(const WebhookDelivery& delivery) {
    return read([&](domain::Transaction& t) { return t.find_webhook_delivery(delivery.id); }).value();
  }
  Webhook stored(const Webhook& webhook) {
    return read([&](domain::Transaction& t) { return t.find_webhook(webhook.id); }).value();
  }
  std::vector<domain::CallAttempt> attempts(const WebhookDelivery& delivery) {
    return read([&](domain::Transaction& t) { return t.list_call_attempts(CallKind::webhook, delivery.id); });
  }

  /// Looks until it is so; the worker tells nobody when it has recorded an outcome.
  bool eventually(const std::function<bool()>& condition) {
    for (int i = 0; i < 4'000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(milliseconds(5));
    }
    return false;
  }
  bool becomes(const WebhookDelivery& delivery, CallState state) {
    return eventually([&] { return stored(delivery).state == state; });
  }
  bool is_recorded(const WebhookDelivery& delivery, std::size_t number) {
    return eventually([&] {
      const auto all = attempts(delivery);
      return all.size() >= number && all[number - 1].finished_at.has_value();
    });
  }

  std::string signature(const Webhook& webhook, std::uint32_t version, const WebhookDelivery& delivery) {
    return sign({domain::webhook_secret(pepper_, webhook.id, version)}, delivery.id.to_string(),
                timestamp_text(clock_.now()), delivery.payload);
  }

  test::TemporaryDirectory folder_;
  test::ManualClock clock_;
  test::SampleWorld world_;
  ScriptedApp receiver_;
  const base::Secret pepper_{std::string(32, 'p')};
  calls::Settings settings_;
  calls::WorkerOptions options_;
  std::unique_ptr<domain::Store> store_;
  std::unique_ptr<WebhookSource> source_;
  std::unique_ptr<calls::CallWorker> worker_;
};

TEST_F(WebhookDeliveryTest, posts_the_payload_as_it_was_queued_with_id_time_and_signature) {
  const auto webhook = add(receiver_.url());
  const auto delivery = queue(webhook);
  start();
  ASSERT_TRUE(becomes(delivery, CallState::done));
  const auto request = receiver_.requests().at(0);
  EXPECT_EQ(request.body, delivery.payload);
  EXPECT_EQ(request.header("Content-Type"), "application/json");
  EXPECT_EQ(request.header("webhook-id"), delivery.id.to_string());
  EXPECT_EQ(request.header("webhook-timestamp"), timestamp_text(clock_.now()));
  EXPECT_EQ(request.header("webhook-signature"), signature(webhook, 1, delivery));
  EXPECT_EQ(attempts(delivery).at(0).result->http_status, 204);
}

TEST_F(WebhookDeliveryTest, tries_again_with_the_same_id_and_bytes_and_the_time_of_each_try) {
  receiver_.answer(http_answer("503 Busy", "come\nback\x1b[31m"));
  const auto webhook = add(receiver_.url());
  const auto delivery = queue(webhook);
  start();
  ASSERT_TRUE(is_recorded(delivery, 1));
  EXPECT_EQ(stored(delivery).last_error, "the receiver answered with HTTP status 503: come back [31m");
  EXPECT_EQ(stored(delivery).due_at - clock_.now(), minutes(1));
  receiver_.answer(http_answer("200 OK", "thanks"));
  clock_.advance(minutes(1));
  ASSERT_TRUE(becomes(delivery, CallState::done));
  const auto requests = receiver_.requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0].body, requests[1].body);
  EXPECT_EQ(requests[0].header("webhook-id"), requests[1].header("webhook-id"));
  EXPECT_NE(requests[0].header("webhook-timestamp"), requests[1].header("webhook-timestamp"));
  EXPECT_EQ(requests[1].header("webhook-signature"), signature(webhook, 1, delivery));
}

TEST_F(WebhookDeliveryTest, gives_up_after_the_time_that_is_set_and_a_replay_is_the_same_delivery) {
  settings_.retry.give_up_after = minutes(2);
  receiver_.answer(http_answer("404 Not Found", ""));
  const auto delivery = queue(add(receiver_.url()));
  start();
  ASSERT_TRUE(is_recorded(delivery, 1));
  clock_.advance(minutes(1));
  ASSERT_TRUE(becomes(delivery, CallState::failed));
  receiver_.answer(http_answer("200 OK", ""));
  write([&](domain::Transaction& t) { EXPECT_TRUE(domain::replay_delivery(delivery.id, t, clock_.now())); });
  worker_->wake();
  ASSERT_TRUE(becomes(delivery, CallState::done));
  write([&](domain::Transaction& t) { EXPECT_TRUE(domain::replay_delivery(delivery.id, t, clock_.now())); });
  worker_->wake();
  ASSERT_TRUE(receiver_.wait_for(4));
  for (const auto& request : receiver_.requests()) {
    EXPECT_EQ(request.header("webhook-id"), delivery.id.to_string());
    EXPECT_EQ(request.body, delivery.payload);
  }
}

TEST_F(WebhookDeliveryTest, gives_up_counting_from_the_first_try_however_long_it_was_owed) {
  receiver_.answer(http_answer("503 Busy", ""));
  const auto delivery = queue(add(receiver_.url()));
  clock_.advance(settings_.retry.give_up_after + hours(1));  // the service was off
  start();
  ASSERT_TRUE(is_recorded(delivery, 1));
  EXPECT_EQ(stored(delivery).state, CallState::queued);
  EXPECT_EQ(stored(delivery).due_at - clock_.now(), minutes(1));
}

TEST_F(WebhookDeliveryTest, a_long_answer_is_judged_by_its_status) {
  const std::string page(100'000, 'x');
  receiver_.answer(http_answer("200 OK", page));
  const auto webhook = add(receiver_.url());
  const auto taken = queue(webhook);
  start();
  ASSERT_TRUE(becomes(taken, CallState::done));
  receiver_.answer(http_answer("500 Oops", page));
  const auto refused = queue(webhook);
  worker_->wake();
  ASSERT_TRUE(is_recorded(refused, 1));
  EXPECT_EQ(attempts(refused)[0].result->http_status, 500);
  EXPECT_THAT(stored(refused).last_error, HasSubstr("HTTP status 500: xxx"));
}

TEST_F(WebhookDeliveryTest, what_was_being_sent_when_its_webhook_was_disabled_is_not_sent_again) {
  std::promise<void> may_answer;
  receiver_.answer([&, answer = may_answer.get_future().share()](const test::HttpRequest&) {
    answer.wait();
    return http_answer("503 Busy", "");
  });
  const auto webhook = add(receiver_.url());
  const auto sending = queue(webhook);
  options_.most_at_once = 1;
  start();
  const bool is_sending = receiver_.wait_for(1);
  const auto waiting = queue(webhook);
  write([&](domain::Transaction& t) { EXPECT_TRUE(domain::set_webhook_disabled(webhook.id, true, t, clock_.now())); });
  EXPECT_EQ(stored(waiting).state, CallState::cancelled) << "at once";
  EXPECT_EQ(stored(sending).state, CallState::queued);
  may_answer.set_value();
  ASSERT_TRUE(is_sending);
  ASSERT_TRUE(becomes(sending, CallState::cancelled));
  EXPECT_EQ(stored(sending).last_error, domain::kWebhookDisabled);
  write([&](domain::Transaction& t) { EXPECT_TRUE(domain::set_webhook_disabled(webhook.id, false, t, clock_.now())); });
  worker_->wake();
  clock_.advance(hours(1));
  const auto later = queue(webhook);
  worker_->wake();
  ASSERT_TRUE(is_recorded(later, 1));
  EXPECT_EQ(receiver_.requests().size(), 2U);
}

TEST_F(WebhookDeliveryTest, signs_with_the_old_secret_too_for_a_day_after_a_rotation) {
  const auto webhook = add(receiver_.url());
  write(
      [&](domain::Transaction& t) { EXPECT_TRUE(domain::rotate_webhook_secret(webhook.id, false, t, clock_.now())); });
  start();
  const auto during = queue(webhook);
  ASSERT_TRUE(becomes(during, CallState::done));
  EXPECT_EQ(receiver_.requests().at(0).header("webhook-signature"),
            signature(webhook, 2, during) + ' ' + signature(webhook, 1, during));
  clock_.advance(hours(24));
  const auto after = queue(webhook);
  ASSERT_TRUE(becomes(after, CallState::done));
  EXPECT_EQ(receiver_.requests().at(1).header("webhook-signature"), signature(webhook, 2, after));
}

TEST_F(WebhookDeliveryTest, disables_a_webhook_whose_receiver_says_gone_and_cancels_what_it_is_owed) {
  receiver_.answer(http_answer("410 Gone", ""));
  const auto webhook = add(receiver_.url());
  const auto other = add(receiver_.url() + "/other");
  options_.most_at_once = 1;
  const auto first = queue(webhook);
  const auto second = queue(webhook);
  start();
  ASSERT_TRUE(becomes(first, CallState::cancelled));
  ASSERT_TRUE(becomes(second, CallState::cancelled));
  EXPECT_EQ(receiver_.requests().size(), 1U);
  EXPECT_TRUE(stored(webhook).disabled);
  EXPECT_THAT(stored(webhook).disabled_reason, HasSubstr("410"));
  EXPECT_FALSE(stored(other).disabled);
  EXPECT_EQ(read([](domain::Transaction& t) { return t.list_audit_events({}); }).front().action, "webhook.disabled");
  EXPECT_EQ(stored(first).last_error, stored(webhook).disabled_reason);
  EXPECT_EQ(stored(second).last_error, stored(webhook).disabled_reason);
}

TEST_F(WebhookDeliveryTest, cancels_what_a_webhook_is_owed_that_is_not_there_any_more) {
  const auto webhook = add(receiver_.url());
  const auto delivery = queue(webhook);
  write([&](domain::Transaction& t) { EXPECT_TRUE(domain::remove_webhook(webhook.id, t, clock_.now())); });
  start();
  ASSERT_TRUE(becomes(delivery, CallState::cancelled));
  EXPECT_THAT(stored(delivery).last_error, HasSubstr("removed"));
  EXPECT_TRUE(receiver_.requests().empty());
}

TEST_F(WebhookDeliveryTest, follows_no_redirect) {
  ScriptedApp elsewhere;
  receiver_.answer(http_answer("302 Found", "", "Location: " + elsewhere.url() + "\r\n"));
  const auto delivery = queue(add(receiver_.url()));
  start();
  ASSERT_TRUE(is_recorded(delivery, 1));
  EXPECT_THAT(stored(delivery).last_error, HasSubstr("redirect"));
  EXPECT_TRUE(elsewhere.requests().empty());
}

TEST_F(WebhookDeliveryTest, says_nothing_to_private_addresses_and_nothing_unencrypted_unless_that_is_allowed) {
  settings_.allow_private = false;
  settings_.ca_file = test::test_ca_file();
  ScriptedApp encrypted(test::CertificateKind::good);
  const auto to_localhost = queue(add(encrypted.url()));
  const auto plain = queue(add("http://example.com/hook"));
  start();
  ASSERT_TRUE(is_recorded(to_localhost, 1));
  ASSERT_TRUE(is_recorded(plain, 1));
  EXPECT_THAT(stored(to_localhost).last_error, HasSubstr("webhook.allow_private"));
  EXPECT_THAT(stored(plain).last_error, HasSubstr("webhook.allow_private"));
  EXPECT_EQ(stored(to_localhost).state, CallState::queued) << "the setting can be changed";
  EXPECT_TRUE(encrypted.requests().empty());
  worker_.reset();
  settings_.allow_private = true;
  start();
  clock_.advance(minutes(1));
  EXPECT_TRUE(becomes(to_localhost, CallState::done));
}

TEST_F(WebhookDeliveryTest, a_receiver_that_hangs_delays_nobody_elses_delivery) {
  ScriptedApp black_hole;
  black_hole.say_nothing();
  const auto dead = add(black_hole.url());
  for (int i = 0; i < 20; ++i) queue(dead);
  start();
  ASSERT_TRUE(black_hole.wait_for(2));
  const auto alive = add(receiver_.url());
  for (int i = 0; i < 10; ++i) {
    const auto delivery = queue(alive);
    worker_->wake();
    EXPECT_TRUE(becomes(delivery, CallState::done));
  }
  EXPECT_EQ(black_hole.requests().size(), 2U) << "at most half of the connections";
}

TEST_F(WebhookDeliveryTest, makes_several_deliveries_to_one_receiver_at_once) {
  std::promise<void> may_answer;
  receiver_.answer([&, answer = may_answer.get_future().share()](const test::HttpRequest&) {
    answer.wait();
    return http_answer("204 No Content", "");
  });
  const auto webhook = add(receiver_.url());
  std::vector<WebhookDelivery> owed;
  for (int i = 0; i < 4; ++i) owed.push_back(queue(webhook));
  start();
  const bool both = receiver_.wait_for(2);
  may_answer.set_value();
  EXPECT_TRUE(both);
  for (const auto& delivery : owed) EXPECT_TRUE(becomes(delivery, CallState::done));
  EXPECT_EQ(receiver_.most_at_once(), 2);
}

TEST_F(WebhookDeliveryTest, what_a_process_that_died_was_telling_is_told_again_when_its_lease_is_over) {
  const auto delivery = queue(add(receiver_.url()));
  write([&](domain::Transaction& t) {
    ASSERT_TRUE(t.claim_due_call(CallKind::webhook, {clock_.now(), clock_.now() + minutes(1)}));
  });
  start();
  std::this_thread::sleep_for(milliseconds(60));  // several looks: nothing happens
  EXPECT_TRUE(receiver_.requests().empty());
  clock_.advance(minutes(1));
  EXPECT_TRUE(becomes(delivery, CallState::done));
  EXPECT_EQ(attempts(delivery).size(), 2U);
}

TEST_F(WebhookDeliveryTest, logs_ids_events_and_reasons_but_no_url_secret_or_address) {
  receiver_.answer(http_answer("500 Oops", ""));
  auto webhook = add(receiver_.url() + "?key=geheim");
  testing::internal::CaptureStderr();
  const auto delivery = queue(webhook);
  start();
  const bool deferred = is_recorded(delivery, 1);
  receiver_.answer(http_answer("204 No Content", ""));
  clock_.advance(minutes(1));
  const bool done = becomes(delivery, CallState::done);
  worker_->stop();
  const std::string log = testing::internal::GetCapturedStderr();
  ASSERT_TRUE(deferred && done);
  for (const std::string& part :
       {std::string("webhook.deferred"), std::string("webhook.done"), std::string("event=invitation.created"),
        delivery.id.to_string(), webhook.id.to_string()})
    EXPECT_THAT(log, HasSubstr(part));
  for (const char* part : {"geheim", "@", "whsec", "v1,"}) EXPECT_THAT(log, Not(HasSubstr(part)));
}

}  // namespace
}  // namespace invited::webhook
