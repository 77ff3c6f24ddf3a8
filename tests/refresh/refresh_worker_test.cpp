// What becomes of calls that are owed, here to apps: a real store, real sockets, a clock that the test moves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>

#include "calls/call_worker.h"
#include "domain/manage_apps.h"
#include "domain/openid.h"
#include "refresh/refresh_message.h"
#include "refresh/refresh_source.h"
#include "storage/sqlite_store.h"
#include "support/manual_clock.h"
#include "support/sample_data.h"
#include "support/scripted_app.h"
#include "support/temporary_directory.h"

namespace invited::refresh {
namespace {

using domain::CallOutcome;
using domain::CallState;
using domain::RefreshCall;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using test::http_answer;
using test::refreshed;
using test::ScriptedApp;
using test::soap_body;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kPublicUrl = "https://invite.example.org";

/// Passes everything on, unless told to refuse writes.
class FlakyStore final : public domain::Store {
 public:
  explicit FlakyStore(domain::Store& store) : store_(store) {}
  domain::Result<void> write(Work work, domain::Urgency urgency, const domain::Foresight& foresight) override {
    if (broken) {
      ++refused;
      return domain::refuse(domain::ErrorCode::unavailable, "disk full");
    }
    EXPECT_EQ(urgency, domain::Urgency::owed);
    return store_.write(std::move(work), urgency, foresight);
  }
  domain::Result<void> read(Work work) override {
    if (unreadable) return domain::refuse(domain::ErrorCode::unavailable, "no connection");
    return store_.read(std::move(work));
  }
  bool is_ready() const override { return store_.is_ready(); }
  void drain() override { store_.drain(); }

  std::atomic<bool> broken{false};
  std::atomic<bool> unreadable{false};
  std::atomic<int> refused{0};

 private:
  domain::Store& store_;
};

std::string fault(const std::string& text) {
  return http_answer("500 Internal Server Error",
                     soap_body("<soap:Fault><faultstring>" + text + "</faultstring></soap:Fault>"));
}

class RefreshWorkerTest : public testing::Test {
 protected:
  RefreshWorkerTest() {
    settings_.retry.jitter = 0;
    settings_.connections = 2;
    options_.poll = milliseconds(5);
    storage::SqliteOptions options;
    options.path = folder_ / "invited.db";
    options.watermark_bytes = 0;
    auto store = storage::open_sqlite_store(options, clock_);
    if (!store) throw std::runtime_error(store.error().message);
    store_ = std::move(*store);
    flaky_ = std::make_unique<FlakyStore>(*store_);
    world_.environment.refresh_url = app_.url();
    write([this](domain::Transaction& t) { world_.insert_into(t); });
  }
  ~RefreshWorkerTest() override { worker_.reset(); }

  void start() {
    worker_ = std::make_unique<calls::CallWorker>(*flaky_, clock_, source_, settings_, options_);
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

  domain::Account add_account(const std::string& email) {
    auto account = test::sample_account(email, "Somebody");
    write([&](domain::Transaction& t) { t.insert(account); });
    return account;
  }
  domain::Environment add_environment(const std::string& name, const ScriptedApp& app) {
    auto environment = test::sample_environment(world_.app, name);
    environment.refresh_url = app.url();
    write([&](domain::Transaction& t) { t.insert(environment); });
    return environment;
  }

  /// Owes a call, and tells it; nothing where one that waits stands for it.
  std::optional<RefreshCall> queue(const domain::Environment& environment, const domain::Account& account) {
    const auto before = calls();
    write([&](domain::Transaction& t) { domain::queue_refresh(environment, account.id, t, clock_.now()); });
    auto after = calls();
    if (after.size() == before.size()) return std::nullopt;
    return after.front();
  }
  RefreshCall queue() { return queue(world_.environment, world_.inviter).value(); }

  std::vector<RefreshCall> calls() {
    return read([](domain::Transaction& t) { return t.list_refresh_calls(std::nullopt, {.limit = 1000}); });
  }
  RefreshCall stored(const RefreshCall& call) {
    return read([&](domain::Transaction& t) { return t.find_refresh_call(call.id); }).value();
  }
  std::vector<domain::CallAttempt> attempts(const RefreshCall& call) {
    return read([&](domain::Transaction& t) { return t.list_call_attempts(domain::CallKind::refresh, call.id); });
  }

  /// Looks until it is so; the worker tells nobody when it has recorded an outcome.
  bool eventually(const std::function<bool()>& condition) {
    for (int i = 0; i < 4'000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(milliseconds(5));
    }
    return false;
  }
  bool becomes(const RefreshCall& call, CallState state) {
    return eventually([&] { return stored(call).state == state; });
  }
  bool is_recorded(const RefreshCall& call, std::size_t number) {
    return eventually([&] {
      const auto all = attempts(call);
      return all.size() >= number && all[number - 1].finished_at.has_value();
    });
  }
  /// Time for several looks of the worker: for showing that nothing happens.
  static void let_it_look() { std::this_thread::sleep_for(milliseconds(60)); }

  test::TemporaryDirectory folder_;
  test::ManualClock clock_;
  test::SampleWorld world_;
  ScriptedApp app_;
  RefreshSource source_{kPublicUrl};
  calls::Settings settings_;
  calls::WorkerOptions options_;
  std::unique_ptr<domain::Store> store_;
  std::unique_ptr<FlakyStore> flaky_;
  std::unique_ptr<calls::CallWorker> worker_;
};

TEST_F(RefreshWorkerTest, tells_the_app_the_openid_of_the_person) {
  const auto call = queue();
  start();
  ASSERT_TRUE(becomes(call, CallState::done));
  ASSERT_EQ(app_.requests().size(), 1U);
  EXPECT_EQ(app_.requests()[0].body,
            make_refresh_message("http://home.mendix.com/",
                                 std::string(kPublicUrl) + "/id?id=" + world_.inviter.id.to_string())
                .envelope);
  ASSERT_EQ(attempts(call).size(), 1U);
  EXPECT_EQ(attempts(call)[0].result->outcome, CallOutcome::done);
  EXPECT_EQ(attempts(call)[0].result->http_status, 200);
  EXPECT_EQ(stored(call).last_error, "");
}

TEST_F(RefreshWorkerTest, does_not_take_an_answer_for_done_whose_end_it_has_not_seen) {
  app_.answer(test::http_answer("200 OK", std::string(100'000, ' ') + "<fault/>"));
  const auto call = queue();
  start();
  ASSERT_TRUE(is_recorded(call, 1));
  EXPECT_EQ(stored(call).state, CallState::queued);
  EXPECT_THAT(stored(call).last_error, testing::HasSubstr("longer than 64 KiB"));
}

TEST_F(RefreshWorkerTest, tells_an_app_that_is_up_again_of_a_new_change_without_waiting_for_the_old_back_off) {
  app_.answer(test::http_answer("503 Starting", ""));
  const auto call = queue();
  start();
  ASSERT_TRUE(is_recorded(call, 1));
  app_.answer(test::refreshed());
  EXPECT_FALSE(queue(world_.environment, world_.inviter)) << "the one that waits stands for it";
  worker_->wake();
  ASSERT_TRUE(becomes(call, CallState::done)) << "while the clock stands still";
}

TEST_F(RefreshWorkerTest, uses_the_template_and_the_namespace_of_the_environment_as_they_are_now) {
  const auto call = queue();
  world_.environment.openid_template = "{email}";
  world_.environment.refresh_namespace = domain::kOldRefreshNamespace;
  write([&](domain::Transaction& t) { t.update(world_.environment); });
  start();
  ASSERT_TRUE(becomes(call, CallState::done));
  const auto request = app_.requests()[0];
  EXPECT_EQ(request.body, make_refresh_message("http://www.example.com", world_.inviter.email.key()).envelope);
  EXPECT_EQ(request.header("SOAPAction"), "\"http://www.example.com/RefreshUserPermissions\"");
}

TEST_F(RefreshWorkerTest, calls_at_once_when_woken) {
  options_.poll = hours(1);
  start();
  let_it_look();
  const auto call = queue();
  worker_->wake();
  EXPECT_TRUE(becomes(call, CallState::done));
}

TEST_F(RefreshWorkerTest, tries_again_by_the_schedule_of_mail_until_the_app_takes_it) {
  app_.answer(fault("The user is being edited."));
  const auto call = queue();
  start();
  ASSERT_TRUE(is_recorded(call, 1));
  EXPECT_EQ(stored(call).last_error, "The user is being edited.");
  EXPECT_EQ(attempts(call)[0].result->http_status, 500);
  std::size_t number = 1;
  for (const auto delay : {minutes(1), minutes(2), minutes(5), minutes(10), minutes(20), minutes(30), minutes(60)}) {
    EXPECT_EQ(stored(call).due_at - clock_.now(), delay);
    clock_.advance(delay - milliseconds(1));
    let_it_look();
    EXPECT_EQ(app_.requests().size(), number);
    clock_.advance(milliseconds(1));
    ASSERT_TRUE(is_recorded(call, ++number));
  }
  app_.answer(refreshed());
  clock_.advance(hours(1));
  ASSERT_TRUE(becomes(call, CallState::done));
  EXPECT_EQ(stored(call).attempts, 9U);
  EXPECT_EQ(app_.requests().size(), 9U);
}

TEST_F(RefreshWorkerTest, spreads_retries_by_the_jitter) {
  settings_.retry.jitter = 0.2;
  app_.answer(fault("no"));
  const auto call = queue();
  start();
  ASSERT_TRUE(is_recorded(call, 1));
  EXPECT_GE(stored(call).due_at - clock_.now(), seconds(48));
  EXPECT_LE(stored(call).due_at - clock_.now(), seconds(72));
}

TEST_F(RefreshWorkerTest, gives_up_after_the_time_that_is_set_and_a_retry_by_hand_begins_anew) {
  settings_.retry.give_up_after = hours(2);
  app_.answer(fault("Never."));
  const auto call = queue();
  start();
  for (std::size_t number = 1; number <= 12 && stored(call).state == CallState::queued; ++number) {
    ASSERT_TRUE(is_recorded(call, number)) << number;
    clock_.advance(std::max(stored(call).due_at - clock_.now(), milliseconds(0)));
  }
  ASSERT_EQ(stored(call).state, CallState::failed);
  EXPECT_EQ(stored(call).last_error, "Never.");
  const auto asked = app_.requests().size();
  clock_.advance(hours(24));
  let_it_look();
  EXPECT_EQ(app_.requests().size(), asked);

  write([&](domain::Transaction& t) { EXPECT_TRUE(t.retry_call(domain::CallKind::refresh, call.id, clock_.now())); });
  worker_->wake();
  ASSERT_TRUE(is_recorded(call, asked + 1));
  EXPECT_EQ(stored(call).state, CallState::queued) << "it is given its full time again";
  app_.answer(refreshed());
  clock_.advance(minutes(1));
  EXPECT_TRUE(becomes(call, CallState::done));
}

TEST_F(RefreshWorkerTest, a_change_while_a_call_keeps_failing_is_owed_for_its_own_full_time) {
  settings_.retry.give_up_after = hours(2);
  app_.answer(fault("Not now."));
  const auto call = queue();
  start();
  ASSERT_TRUE(is_recorded(call, 1));
  clock_.advance(seconds(59));  // not due yet
  EXPECT_FALSE(queue(world_.environment, world_.inviter)) << "the one that waits stands for it";
  ASSERT_TRUE(is_recorded(call, 2)) << "which is made for it at once";
  clock_.advance(minutes(118) - seconds(30));
  ASSERT_TRUE(is_recorded(call, 3));
  EXPECT_EQ(stored(call).state, CallState::queued) << "tried again after the first change's time, within the second's";
  EXPECT_GT(stored(call).due_at, call.queued_at + hours(2));
}

TEST_F(RefreshWorkerTest, cancels_a_call_that_nobody_wants_any_more) {
  const auto other = add_environment("Test", app_);
  const auto without_url = queue();
  const auto of_disabled = queue(other, world_.inviter).value();
  write([&](domain::Transaction& t) {
    auto changed = world_.environment;
    changed.refresh_url.clear();
    t.update(changed);
    changed = other;
    changed.disabled = true;
    t.update(changed);
  });
  start();
  EXPECT_TRUE(becomes(without_url, CallState::cancelled));
  EXPECT_TRUE(becomes(of_disabled, CallState::cancelled));
  EXPECT_TRUE(app_.requests().empty());
}

TEST_F(RefreshWorkerTest, calls_about_what_changed_while_an_environment_was_disabled_are_made_when_it_is_enabled) {
  const auto set_disabled = [&](bool disabled) {
    write([&](domain::Transaction& t) {
      EXPECT_TRUE(domain::set_environment_disabled(world_.environment.id, disabled, t, clock_.now()));
    });
  };
  app_.answer(refreshed());
  const auto call = queue();
  set_disabled(true);
  start();
  ASSERT_TRUE(becomes(call, CallState::cancelled));
  EXPECT_TRUE(app_.requests().empty());
  set_disabled(false);
  EXPECT_TRUE(becomes(call, CallState::done));
  EXPECT_EQ(app_.requests().size(), 1U);
}

TEST_F(RefreshWorkerTest, one_call_stands_for_all_changes_before_it_and_a_change_during_it_gets_its_own) {
  const auto call = queue();
  EXPECT_FALSE(queue(world_.environment, world_.inviter));
  std::promise<void> may_answer;
  app_.answer([&, answer = may_answer.get_future().share()](const test::HttpRequest&) {
    answer.wait();
    return refreshed();
  });
  start();
  ASSERT_TRUE(app_.wait_for(1));
  const auto later = queue(world_.environment, world_.inviter);
  ASSERT_TRUE(later);
  EXPECT_FALSE(queue(world_.environment, world_.inviter));
  worker_->wake();
  let_it_look();
  EXPECT_EQ(app_.requests().size(), 1U);
  may_answer.set_value();
  EXPECT_TRUE(becomes(call, CallState::done));
  EXPECT_TRUE(becomes(*later, CallState::done));
  EXPECT_EQ(app_.requests().size(), 2U);
}

TEST_F(RefreshWorkerTest, tells_an_app_one_thing_at_a_time) {
  settings_.connections = 16;
  std::vector<RefreshCall> owed;
  for (int i = 0; i < 12; ++i)
    owed.push_back(queue(world_.environment, add_account("p" + std::to_string(i) + "@example.org")).value());
  start();
  for (const auto& call : owed) EXPECT_TRUE(becomes(call, CallState::done));
  EXPECT_EQ(app_.requests().size(), 12U);
  EXPECT_EQ(app_.most_at_once(), 1);
}

TEST_F(RefreshWorkerTest, holds_no_transaction_while_the_app_asks_back) {
  settings_.connections = 1;
  std::atomic<bool> asked{false};
  app_.answer([&](const test::HttpRequest&) {
    const auto roles =
        read([&](domain::Transaction& t) { return t.list_roles_of(world_.inviter.id, world_.environment.id); });
    write([&](domain::Transaction& t) {
      t.insert(domain::AuditEvent{clock_.now(), "app", "asked.back", world_.inviter.id, {}});
    });
    asked = roles.size() == 1;
    return refreshed();
  });
  const auto call = queue();
  start();
  EXPECT_TRUE(becomes(call, CallState::done));
  EXPECT_TRUE(asked);
}

TEST_F(RefreshWorkerTest, an_app_that_hangs_delays_nobody_elses_call) {
  ScriptedApp black_hole;
  black_hole.say_nothing();
  const auto dead = add_environment("Dead", black_hole);
  const auto hanging = queue(dead, world_.inviter).value();
  clock_.advance(milliseconds(1));
  start();
  ASSERT_TRUE(black_hole.wait_for(1));
  for (int i = 0; i < 5; ++i) {
    const auto call = queue(world_.environment, add_account("p" + std::to_string(i) + "@example.org")).value();
    worker_->wake();
    EXPECT_TRUE(becomes(call, CallState::done));
  }
  EXPECT_EQ(stored(hanging).state, CallState::queued);
  EXPECT_EQ(attempts(hanging).size(), 1U);
  EXPECT_FALSE(attempts(hanging)[0].finished_at);
}

TEST_F(RefreshWorkerTest, an_app_with_many_calls_that_does_not_answer_is_tried_once_in_a_while) {
  settings_.connections = 1;
  settings_.timeout = milliseconds(200);
  ScriptedApp black_hole;
  black_hole.say_nothing();
  const auto dead = add_environment("Dead", black_hole);
  std::vector<RefreshCall> owed;
  for (int i = 0; i < 8; ++i)
    owed.push_back(queue(dead, add_account("p" + std::to_string(i) + "@example.org")).value());
  clock_.advance(milliseconds(1));
  const auto behind = queue();
  start();
  EXPECT_TRUE(becomes(behind, CallState::done));
  ASSERT_TRUE(is_recorded(owed[0], 1));
  EXPECT_THAT(stored(owed[0]).last_error, HasSubstr("timed out"));
  let_it_look();
  EXPECT_EQ(black_hole.requests().size(), 1U);
  EXPECT_TRUE(attempts(owed[7]).empty()) << "nothing is written about those that wait";

  clock_.advance(seconds(31));
  ASSERT_TRUE(is_recorded(owed[1], 1));
  let_it_look();
  EXPECT_EQ(black_hole.requests().size(), 2U);

  black_hole.answer(refreshed());
  clock_.advance(minutes(2));
  for (const auto& call : owed) EXPECT_TRUE(becomes(call, CallState::done));
}

TEST_F(RefreshWorkerTest, an_app_that_did_not_answer_is_tried_at_once_when_an_operator_asks) {
  settings_.timeout = milliseconds(200);
  settings_.retry.give_up_after = seconds(30);
  app_.say_nothing();
  const auto call = queue();
  start();
  ASSERT_TRUE(becomes(call, CallState::failed));
  app_.answer(refreshed());
  write([&](domain::Transaction& t) { EXPECT_TRUE(t.retry_call(domain::CallKind::refresh, call.id, clock_.now())); });
  worker_->try_silent();
  EXPECT_TRUE(becomes(call, CallState::done));
}

TEST_F(RefreshWorkerTest, an_app_whose_url_was_mended_is_tried_when_the_next_call_is_due) {
  world_.environment.refresh_url = "http://127.0.0.1:" + std::to_string(test::closed_port()) + "/";
  write([&](domain::Transaction& t) { t.update(world_.environment); });
  const auto first = queue();
  start();
  ASSERT_TRUE(is_recorded(first, 1));
  world_.environment.refresh_url = app_.url();
  write([&](domain::Transaction& t) { t.update(world_.environment); });
  const auto second = queue(world_.environment, add_account("other@example.org")).value();
  worker_->wake();
  EXPECT_TRUE(becomes(second, CallState::done));
  clock_.advance(minutes(1));
  EXPECT_TRUE(becomes(first, CallState::done));
}

TEST_F(RefreshWorkerTest, a_call_whose_lease_is_over_is_made_again_and_a_late_outcome_changes_nothing) {
  std::promise<void> may_answer;
  std::atomic<int> number{0};
  app_.answer([&, answer = may_answer.get_future().share()](const test::HttpRequest&) {
    if (++number > 1) return refreshed();
    answer.wait();
    return fault("too late");
  });
  const auto call = queue();
  start();
  ASSERT_TRUE(app_.wait_for(1));
  clock_.advance(calls::lease_of(settings_.timeout));
  worker_->wake();
  ASSERT_TRUE(becomes(call, CallState::done));
  may_answer.set_value();
  worker_->stop();
  EXPECT_EQ(stored(call).state, CallState::done);
  EXPECT_EQ(app_.requests().size(), 2U);
}

TEST_F(RefreshWorkerTest, stopping_lets_a_call_end) {
  std::promise<void> may_answer;
  app_.answer([&, answer = may_answer.get_future().share()](const test::HttpRequest&) {
    answer.wait();
    return refreshed();
  });
  const auto call = queue();
  start();
  ASSERT_TRUE(app_.wait_for(1));
  auto stopped = std::async(std::launch::async, [this] { worker_->stop(seconds(20)); });
  may_answer.set_value();
  stopped.wait();
  EXPECT_EQ(stored(call).state, CallState::done);
}

TEST_F(RefreshWorkerTest, stopping_breaks_off_a_call_that_hangs_and_the_next_start_makes_it) {
  app_.say_nothing();
  const auto call = queue();
  start();
  ASSERT_TRUE(app_.wait_for(1));
  const auto begin = std::chrono::steady_clock::now();
  worker_->stop(milliseconds(100));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(10));
  EXPECT_EQ(stored(call).state, CallState::queued);
  EXPECT_EQ(stored(call).due_at, clock_.now());
  EXPECT_THAT(stored(call).last_error, HasSubstr("stopping"));

  app_.answer(refreshed());
  start();
  EXPECT_TRUE(becomes(call, CallState::done));
}

TEST_F(RefreshWorkerTest, records_later_what_it_could_not_record_at_once_and_calls_no_second_time) {
  app_.answer([&](const test::HttpRequest&) {
    flaky_->broken = true;
    return refreshed();
  });
  const auto call = queue();
  start();
  ASSERT_TRUE(eventually([&] { return flaky_->refused > 2; }));
  EXPECT_EQ(stored(call).state, CallState::queued);
  flaky_->broken = false;
  EXPECT_TRUE(becomes(call, CallState::done));
  EXPECT_EQ(app_.requests().size(), 1U);
}

TEST_F(RefreshWorkerTest, a_store_that_cannot_be_read_defers_the_call) {
  flaky_->unreadable = true;
  const auto call = queue();
  start();
  ASSERT_TRUE(is_recorded(call, 1));
  EXPECT_EQ(stored(call).last_error, "no connection");
  EXPECT_TRUE(app_.requests().empty());
  flaky_->unreadable = false;
  clock_.advance(minutes(1));
  EXPECT_TRUE(becomes(call, CallState::done));
}

TEST_F(RefreshWorkerTest, logs_ids_and_reasons_but_neither_openid_nor_url) {
  world_.environment.openid_template = "{email}";
  world_.environment.refresh_url += "?key=geheim";
  write([&](domain::Transaction& t) { t.update(world_.environment); });
  app_.answer(fault("busy"));
  testing::internal::CaptureStderr();
  const auto call = queue();
  start();
  const bool deferred = is_recorded(call, 1);
  app_.answer(refreshed());
  clock_.advance(minutes(1));
  const bool done = becomes(call, CallState::done);
  worker_->stop();
  const std::string log = testing::internal::GetCapturedStderr();
  ASSERT_TRUE(deferred && done);
  for (const std::string& part :
       {std::string("refresh.deferred"), std::string("refresh.done"), std::string("busy"), call.id.to_string(),
        world_.environment.id.to_string(), world_.inviter.id.to_string()})
    EXPECT_THAT(log, HasSubstr(part));
  EXPECT_THAT(log, testing::Not(HasSubstr("geheim")));
  EXPECT_THAT(log, testing::Not(HasSubstr("@")));
}

}  // namespace
}  // namespace invited::refresh
