// What becomes of mail when the process dies, stops, or cannot record what it did.
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>

#include "mail/delivery_fixture.h"
#include "mail/directory_transport.h"
#include "support/scripted_smtp_server.h"

extern char** environ;

namespace invited::mail {
namespace {

using domain::DeliveryOutcome;
using domain::DeliveryResult;
using domain::MessageState;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// Passes everything on, unless told to refuse writes.
class FlakyStore final : public domain::Store {
 public:
  explicit FlakyStore(domain::Store& store) : store_(store) {}
  domain::Result<void> write(Work work, domain::Urgency urgency, const domain::Foresight& foresight) override {
    ++writes;
    if (broken) {
      ++refused;
      return domain::refuse(domain::ErrorCode::unavailable, "disk full");
    }
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
  std::atomic<int> writes{0};

 private:
  domain::Store& store_;
};

/// For a store that does not outlive the fixture's worker: declared behind it, it ends the worker before.
struct WorkerEndsFirst {
  std::unique_ptr<DeliveryWorker>& worker;
  ~WorkerEndsFirst() { worker.reset(); }
};

class DeliveryFaultsTest : public DeliveryTest {
 protected:
  std::filesystem::path mail_folder() const { return folder_.path() / "mail"; }

  std::vector<std::string> mails() const {
    std::vector<std::string> contents;
    if (!std::filesystem::exists(mail_folder())) return contents;
    for (const auto& entry : std::filesystem::directory_iterator(mail_folder())) {
      std::ifstream stream(entry.path(), std::ios::binary);
      contents.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>{});
    }
    return contents;
  }

  TransportFactory into_folder() const {
    return [folder = mail_folder()] { return std::make_unique<DirectoryTransport>(folder); };
  }

  /// Delivers in another process that dies at `failpoint`; returns the signal that killed it.
  int die_at(const std::string& failpoint) {
    store_.reset();  // the database is the child's
    std::vector<std::string> environment;
    for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
    environment.push_back("INVITED_FAILPOINT=" + failpoint);
    environment.push_back("INVITED_TEST_FOLDER=" + folder_.path().string());
    environment.push_back("INVITED_TEST_NOW=" + std::to_string(clock_.now().time_since_epoch().count()));
    std::vector<char*> pointers;
    for (std::string& entry : environment) pointers.push_back(entry.data());
    pointers.push_back(nullptr);
    std::string program = "/proc/self/exe";
    std::string filter = "--gtest_filter=DeliveryChild.DISABLED_delivers_until_it_dies";
    std::string disabled = "--gtest_also_run_disabled_tests";
    char* arguments[] = {program.data(), filter.data(), disabled.data(), nullptr};
    pid_t child = 0;
    EXPECT_EQ(::posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments, pointers.data()), 0);
    int status = 0;
    ::waitpid(child, &status, 0);
    open_store();
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }
};

/// Not a test: what `die_at` runs.
TEST(DeliveryChild, DISABLED_delivers_until_it_dies) {
  const char* folder = std::getenv("INVITED_TEST_FOLDER");
  const char* now = std::getenv("INVITED_TEST_NOW");
  if (folder == nullptr || now == nullptr) GTEST_SKIP() << "run by other tests";
  test::ManualClock clock(base::Timestamp{milliseconds(std::atoll(now))});
  storage::SqliteOptions options;
  options.path = std::string(folder) + "/invited.db";
  options.watermark_bytes = 0;
  auto store = storage::open_sqlite_store(options, clock);
  ASSERT_TRUE(store) << store.error().message;
  const domain::TokenKeys keys{{{1, base::Secret(std::string(32, 'k'))}}, 1};
  const Settings settings = test::sample_settings();
  const MessageBuilder builder(settings);
  DeliveryOptions delivery;
  delivery.connections = 1;
  delivery.public_url = test::kPublicUrl;
  DeliveryWorker worker(
      **store, clock, keys, builder, settings,
      [&] { return std::make_unique<DirectoryTransport>(std::filesystem::path(folder) / "mail"); }, delivery);
  worker.start();
  std::this_thread::sleep_for(seconds(20));
}

TEST_F(DeliveryFaultsTest, D04_sends_at_most_one_more_equal_copy_after_dying_between_dot_and_record) {
  const auto message = queue("guest@example.org");
  EXPECT_EQ(die_at("mail_after_send"), SIGKILL);
  const auto first = mails();
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(stored(message).state, MessageState::queued);

  start(into_folder(), *store_);
  ASSERT_TRUE(becomes(message, MessageState::sent));
  EXPECT_EQ(mails(), first);  // the same bytes under the same name
  EXPECT_EQ(stored(message).deaths, 1U);
}

TEST_F(DeliveryFaultsTest, M20_quarantines_a_message_that_killed_three_workers_and_delivers_the_next) {
  const auto deadly = queue("deadly@example.org");
  clock_.advance(milliseconds(1));
  const auto good = queue("guest@example.org");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(die_at("mail_before_send"), SIGKILL);
    write([&](domain::Transaction& transaction) {
      // Only the deadly one is ever due in the other process.
      EXPECT_EQ(transaction.find_message(good.id)->deaths, 0U);
    });
    clock_.advance(options_.lease);
  }
  EXPECT_TRUE(mails().empty());
  start(into_folder(), *store_);
  EXPECT_TRUE(becomes(good, MessageState::sent));
  EXPECT_TRUE(becomes(deadly, MessageState::quarantined));
  EXPECT_EQ(mails().size(), 1U);
}

TEST_F(DeliveryFaultsTest, records_later_what_it_could_not_record_at_once_and_sends_no_second_copy) {
  FlakyStore flaky(*store_);
  const WorkerEndsFirst end{worker_};
  relay_.answer([&](const Envelope&) {
    flaky.broken = true;
    return DeliveryResult{DeliveryOutcome::sent, 250, "message", "queued"};
  });
  const auto message = queue("guest@example.org");
  start([this] { return std::make_unique<FakeTransport>(relay_); }, flaky);
  ASSERT_TRUE(relay_.wait_for(1));
  ASSERT_TRUE(eventually([&] { return flaky.refused >= 3; }));
  EXPECT_EQ(stored(message).state, MessageState::queued);
  flaky.broken = false;
  EXPECT_TRUE(becomes(message, MessageState::sent));
  EXPECT_EQ(relay_.count(), 1U);
}

TEST_F(DeliveryFaultsTest, completes_no_mail_while_the_one_before_cannot_be_recorded) {
  FlakyStore flaky(*store_);
  std::vector<domain::OutboxMessage> messages;
  for (int i = 0; i < 8; ++i) messages.push_back(queue("p" + std::to_string(i) + "@example.com"));
  std::atomic<int> completed{0};
  relay_.answer([&](const Envelope& envelope) {
    if (!envelope.may_complete()) return DeliveryResult{DeliveryOutcome::held, 0, std::string(kInterrupted), "no"};
    if (++completed == 4) flaky.broken = true;
    return DeliveryResult{DeliveryOutcome::sent, 250, "message", "queued"};
  });
  start([this] { return std::make_unique<FakeTransport>(relay_); }, flaky);
  ASSERT_TRUE(eventually([&] { return flaky.refused > 3; }));
  EXPECT_EQ(completed, 4);
  flaky.broken = false;
  const auto sent = [&] {
    return std::ranges::count_if(messages, [&](const auto& one) { return stored(one).state == MessageState::sent; });
  };
  ASSERT_TRUE(eventually([&] { return sent() == 7; }));
  clock_.advance(seconds(6));  // what was broken off is due again
  ASSERT_TRUE(eventually([&] { return sent() == 8; }));
  worker_->stop();
  EXPECT_EQ(completed, 8);
}

TEST_F(DeliveryFaultsTest, stops_although_an_outcome_cannot_be_recorded) {
  FlakyStore flaky(*store_);
  relay_.answer([&](const Envelope&) {
    flaky.broken = true;
    return DeliveryResult{DeliveryOutcome::sent, 250, "message", "queued"};
  });
  queue("guest@example.org");
  start([this] { return std::make_unique<FakeTransport>(relay_); }, flaky);
  ASSERT_TRUE(relay_.wait_for(1));
  const auto begin = std::chrono::steady_clock::now();
  worker_->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(15));
}

/// This process's threads, as Linux numbers them.
std::set<std::string> threads_but(const std::set<std::string>& others) {
  std::set<std::string> threads;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task"))
    if (!others.contains(entry.path().filename())) threads.insert(entry.path().filename());
  return threads;
}

/// How often they went to sleep by themselves (proc(5), voluntary_ctxt_switches).
long times_slept(const std::set<std::string>& threads) {
  constexpr std::string_view kSlept = "voluntary_ctxt_switches:";
  long times = 0;
  for (const std::string& thread : threads) {
    std::ifstream status("/proc/self/task/" + thread + "/status");
    for (std::string line; std::getline(status, line);)
      if (line.starts_with(kSlept)) times += std::stol(line.substr(kSlept.size()));
  }
  return times;
}

/// Each look is a transaction of the one writer, whom calls wait for.
TEST_F(DeliveryFaultsTest, does_not_look_at_a_held_queue_for_each_mail_that_is_queued) {
  FlakyStore counting(*store_);
  const WorkerEndsFirst end{worker_};
  relay_.answer(DeliveryResult{DeliveryOutcome::held, 535, "auth", "5.7.8 wrong"});
  queue("guest@example.org");
  const std::set<std::string> others = threads_but({});
  start([this] { return std::make_unique<FakeTransport>(relay_); }, counting);
  ASSERT_TRUE(eventually([this] { return hold().has_value(); }));
  const int before = counting.writes;
  const long slept_before = times_slept(threads_but(others));
  const auto begin = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - begin < milliseconds(500)) {
    worker_->wake();
    std::this_thread::yield();
  }
  const auto looks = (std::chrono::steady_clock::now() - begin) / milliseconds(100) + 3;
  EXPECT_LE(counting.writes - before, looks);
  // Nor does it wake up for each: that cost every SendInvite 4 % while the relay was away.
  EXPECT_LE(times_slept(threads_but(others)) - slept_before, 20 * looks);
}

TEST_F(DeliveryFaultsTest, puts_a_message_back_without_a_charge_where_it_cannot_look_whether_the_link_lives) {
  FlakyStore flaky(*store_);
  const WorkerEndsFirst end{worker_};
  flaky.unreadable = true;
  const auto message = queue("guest@example.org");
  start([this] { return std::make_unique<FakeTransport>(relay_); }, flaky);
  ASSERT_TRUE(is_recorded(message, 1));
  EXPECT_EQ(stored(message).attempts, 0U);
  EXPECT_FALSE(hold());
  EXPECT_EQ(relay_.count(), 0U);
  flaky.unreadable = false;
  clock_.advance(seconds(5));
  EXPECT_TRUE(becomes(message, MessageState::sent));
}

TEST_F(DeliveryFaultsTest, does_not_record_an_outcome_under_a_lease_that_somebody_else_has_taken_over) {
  const auto message = queue("guest@example.org");
  std::optional<domain::Lease> taken_over;
  relay_.answer([&](const Envelope&) {
    // While this one dawdles its lease ends, and another instance claims the message.
    clock_.advance(options_.lease);
    EXPECT_TRUE(store_->write([&](domain::Transaction& transaction) -> domain::Result<void> {
      auto leases = transaction.claim_due_messages(1, clock_.now(), clock_.now() + options_.lease);
      if (!leases.empty()) taken_over = leases[0];
      return {};
    }));
    return DeliveryResult{DeliveryOutcome::rejected, 550, "rcpt_to", "no"};
  });
  start();
  ASSERT_TRUE(relay_.wait_for(1));
  worker_->stop();
  ASSERT_TRUE(taken_over);
  EXPECT_EQ(stored(message).state, MessageState::queued);
  EXPECT_TRUE(store_->write([&](domain::Transaction& transaction) -> domain::Result<void> {
    EXPECT_TRUE(transaction.finish_attempt(*taken_over, {DeliveryOutcome::sent, 250, "message", ""}, {}, clock_.now()));
    return {};
  }));
  EXPECT_EQ(stored(message).state, MessageState::sent);
}

class DeliveryOverSmtpTest : public DeliveryFaultsTest {
 protected:
  DeliveryOverSmtpTest() {
    settings_.host = "localhost";
    settings_.port = server_.port();
    settings_.ca_file = test::test_ca_file();
  }
  void start_over_smtp() { start(make_transport_factory(settings_, seconds(30)), *store_); }

  test::ScriptedSmtpServer server_;
};

TEST_F(DeliveryOverSmtpTest, brings_the_mails_over_one_connection) {
  std::vector<domain::OutboxMessage> messages;
  for (int i = 0; i < 5; ++i) messages.push_back(queue("guest" + std::to_string(i) + "@example.org"));
  start_over_smtp();
  for (const auto& message : messages) EXPECT_TRUE(becomes(message, MessageState::sent));
  EXPECT_EQ(server_.connections(), 1);
  ASSERT_EQ(server_.mails().size(), 5U);
  EXPECT_EQ(server_.mails()[0].content,
            builder_->build(messages[0], message_link(test::kPublicUrl, keys_, messages[0])).value());
}

TEST_F(DeliveryOverSmtpTest, M05_sends_one_equal_copy_more_where_the_answer_to_the_dot_is_lost) {
  server_.say("message", {{"", {}, true}, {"250 queued"}});
  const auto message = queue("guest@example.org");
  start_over_smtp();
  ASSERT_TRUE(is_recorded(message, 1));
  EXPECT_EQ(stored(message).attempts, 1U);
  clock_.advance(minutes(1));
  ASSERT_TRUE(becomes(message, MessageState::sent));
  ASSERT_EQ(server_.mails().size(), 2U);
  EXPECT_EQ(server_.mails()[0].content, server_.mails()[1].content);
}

TEST_F(DeliveryOverSmtpTest, lets_a_delivery_under_way_end_when_it_stops) {
  server_.say("message", {{"250 queued", milliseconds(500)}});
  const auto message = queue("guest@example.org");
  start_over_smtp();
  ASSERT_TRUE(server_.wait_for_mails(1));
  worker_->stop(seconds(10));
  EXPECT_EQ(stored(message).state, MessageState::sent);
}

TEST_F(DeliveryOverSmtpTest, breaks_off_what_takes_too_long_when_it_stops_and_charges_nobody) {
  server_.say("message", {{"250 queued", seconds(60)}});
  const auto message = queue("guest@example.org");
  start_over_smtp();
  ASSERT_TRUE(server_.wait_for_mails(1));
  const auto begin = std::chrono::steady_clock::now();
  worker_->stop(milliseconds(200));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(10));
  EXPECT_EQ(stored(message).state, MessageState::queued);
  EXPECT_EQ(stored(message).attempts, 0U);
  EXPECT_FALSE(hold());
  EXPECT_EQ(attempts(message)[0].result->stage, kInterrupted);
}

}  // namespace
}  // namespace invited::mail
