// What becomes of queued mail, on a real store.
#include "mail/delivery_worker.h"

#include <algorithm>
#include <atomic>

#include "domain/manage_apps.h"
#include "mail/delivery_fixture.h"

namespace invited::mail {
namespace {

using domain::DeliveryOutcome;
using domain::DeliveryResult;
using domain::MessageState;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;
using namespace std::chrono_literals;

const DeliveryResult kSent{DeliveryOutcome::sent, 250, "message", "queued"};
const DeliveryResult kGreylisted{DeliveryOutcome::deferred, 450, "rcpt_to", "4.2.0 greylisted"};
const DeliveryResult kBusy{DeliveryOutcome::deferred, 421, "banner", "busy"};
const DeliveryResult kNoSuchUser{DeliveryOutcome::rejected, 550, "rcpt_to", "5.1.1 no such user"};
const DeliveryResult kWrongPassword{DeliveryOutcome::held, 535, "auth", "5.7.8 wrong"};

using DeliveryWorkerTest = DeliveryTest;

TEST_F(DeliveryWorkerTest, delivers_what_is_due_with_a_link_that_opens_the_invitation) {
  const auto message = queue("guest@example.org");
  start();
  ASSERT_TRUE(becomes(message, MessageState::sent));
  ASSERT_EQ(relay_.count(), 1U);
  const auto delivery = relay_.deliveries()[0];
  EXPECT_EQ(delivery.envelope.from, settings_.from);
  EXPECT_EQ(delivery.envelope.recipient, "guest@example.org");
  EXPECT_EQ(delivery.envelope.message_id, domain::message_id_of(message));
  EXPECT_THAT(delivery.bytes, HasSubstr("\r\n" + message_link(test::kPublicUrl, keys_, message) + "\r\n"));
  EXPECT_EQ(stored(message).attempts, 1U);
  EXPECT_EQ(attempts(message)[0].result->outcome, DeliveryOutcome::sent);
}

// --- what webhooks are told ----------------------------------------------------------------------------------------

class DeliveryEventTest : public DeliveryTest {
 protected:
  void add_webhook(std::vector<domain::EventType> events = {}) {
    write([&](domain::Transaction& t) { t.insert(test::sample_webhook(world_.environment, std::move(events))); });
  }
  std::vector<domain::WebhookDelivery> told() {
    std::vector<domain::WebhookDelivery> found;
    write([&](domain::Transaction& t) { found = t.list_webhook_deliveries({}, {}); });
    return found;
  }
};

TEST_F(DeliveryEventTest, is_told_of_a_mail_that_the_relay_took) {
  add_webhook();
  const auto message = queue("guest@example.org");
  start();
  ASSERT_TRUE(becomes(message, MessageState::sent));
  ASSERT_EQ(told().size(), 1U);
  EXPECT_EQ(told()[0].event, domain::EventType::invitation_delivered);
  EXPECT_THAT(told()[0].payload, HasSubstr(message.invitation_id.to_string()));
  EXPECT_THAT(told()[0].payload, testing::Not(HasSubstr("reason")));
}

TEST_F(DeliveryEventTest, is_told_of_a_mail_that_was_refused_with_the_relays_words) {
  add_webhook();
  relay_.answer(kNoSuchUser);
  const auto message = queue("nobody@example.org");
  start();
  ASSERT_TRUE(becomes(message, MessageState::failed));
  ASSERT_EQ(told().size(), 1U);
  EXPECT_EQ(told()[0].event, domain::EventType::invitation_bounced);
  EXPECT_THAT(told()[0].payload, HasSubstr("\"reason\":\"5.1.1 no such user\""));
}

TEST_F(DeliveryEventTest, is_told_when_a_mail_is_given_up_and_not_before) {
  add_webhook();
  options_.retry.give_up_after = minutes(2);
  relay_.answer(kGreylisted);
  const auto message = queue("guest@example.org");
  start();
  ASSERT_TRUE(is_recorded(message, 1));
  EXPECT_TRUE(told().empty());
  clock_.advance(minutes(1));
  ASSERT_TRUE(becomes(message, MessageState::failed));
  ASSERT_EQ(told().size(), 1U);
  EXPECT_EQ(told()[0].event, domain::EventType::invitation_bounced);
}

TEST_F(DeliveryEventTest, is_told_neither_of_other_mails_nor_of_mails_that_nobody_wants_nor_what_it_did_not_ask_for) {
  add_webhook({domain::EventType::invitation_bounced});
  const auto sent = queue("guest@example.org");
  const auto notice = queue("colleague@example.org", [](domain::OutboxMessage& message) {
    message.kind = domain::MessageKind::already_has_access;
    message.invitation_id = {};
  });
  const auto revoked = queue("late@example.org");
  write([&](domain::Transaction& t) {
    auto invitation = *t.find_invitation(revoked.invitation_id);
    invitation.state = domain::InvitationState::revoked;
    t.update(invitation);
  });
  start();
  ASSERT_TRUE(becomes(sent, MessageState::sent));
  ASSERT_TRUE(becomes(notice, MessageState::sent));
  ASSERT_TRUE(becomes(revoked, MessageState::failed)) << "not sent, by us";
  EXPECT_TRUE(told().empty());
}

// -------------------------------------------------------------------------------------------------------------------

TEST_F(DeliveryWorkerTest, delivers_a_notice_that_has_no_invitation) {
  auto message = world_.message(world_.invitation());
  message.kind = domain::MessageKind::already_has_access;
  message.invitation_id = {};
  write([&](domain::Transaction& transaction) { transaction.insert(message); });
  start();
  ASSERT_TRUE(becomes(message, MessageState::sent));
  EXPECT_THAT(relay_.deliveries()[0].bytes, testing::Not(HasSubstr("/i/")));
}

TEST_F(DeliveryWorkerTest, sends_at_once_when_woken) {
  options_.poll = hours(1);
  start();
  let_it_look();
  const auto message = queue("guest@example.org");
  worker_->wake();
  EXPECT_TRUE(becomes(message, MessageState::sent));
}

TEST_F(DeliveryWorkerTest, sends_nothing_before_its_time) {
  const auto message = queue("guest@example.org", [](auto& m) { m.due_at += minutes(1); });
  start();
  clock_.advance(minutes(1) - milliseconds(1));
  let_it_look();
  EXPECT_EQ(relay_.count(), 0U);
  clock_.advance(milliseconds(1));
  EXPECT_TRUE(becomes(message, MessageState::sent));
}

TEST_F(DeliveryWorkerTest, M02_tries_a_deferred_mail_again_by_the_schedule_with_equal_bytes) {
  relay_.answer(kGreylisted);
  const auto message = queue("guest@example.org");
  start();
  ASSERT_TRUE(is_recorded(message, 1));
  std::size_t number = 1;
  for (const auto delay : {minutes(1), minutes(2), minutes(5), minutes(10), minutes(20), minutes(30), minutes(60)}) {
    EXPECT_EQ(stored(message).due_at - clock_.now(), delay);
    clock_.advance(delay);
    ASSERT_TRUE(is_recorded(message, ++number));
  }
  relay_.answer(kSent);
  clock_.advance(hours(1));
  ASSERT_TRUE(becomes(message, MessageState::sent));
  EXPECT_EQ(stored(message).attempts, 9U);
  const auto deliveries = relay_.deliveries();
  ASSERT_EQ(deliveries.size(), 9U);
  for (const auto& delivery : deliveries) EXPECT_EQ(delivery.bytes, deliveries[0].bytes);
}

TEST_F(DeliveryWorkerTest, gives_up_when_the_link_expires_or_the_time_is_over) {
  options_.retry.give_up_after = hours(2);
  relay_.answer(kGreylisted);
  const auto message = queue("guest@example.org");
  start();
  for (std::size_t attempt = 1; attempt <= 12 && stored(message).state == MessageState::queued; ++attempt) {
    ASSERT_TRUE(is_recorded(message, attempt)) << attempt;
    clock_.advance(std::max(stored(message).due_at - clock_.now(), milliseconds(0)));
  }
  EXPECT_EQ(stored(message).state, MessageState::failed);
  EXPECT_EQ(stored(message).last_error, "4.2.0 greylisted");
}

TEST_F(DeliveryWorkerTest, M03_fails_a_rejected_mail_for_good_and_goes_on_with_the_others) {
  relay_.answer(
      [](const Envelope& envelope) { return envelope.recipient == "nobody@example.org" ? kNoSuchUser : kSent; });
  const auto bad = queue("nobody@example.org");
  const auto good = queue("guest@example.org");
  start();
  EXPECT_TRUE(becomes(bad, MessageState::failed));
  EXPECT_TRUE(becomes(good, MessageState::sent));
  EXPECT_EQ(stored(bad).last_error, "5.1.1 no such user");
  EXPECT_EQ(attempts(bad)[0].result->reply_code, 550);
  EXPECT_FALSE(hold());
  clock_.advance(hours(24));
  let_it_look();
  EXPECT_EQ(relay_.count(), 2U);
}

TEST_F(DeliveryWorkerTest, M04_holds_the_queue_fails_no_message_and_releases_it_when_mended) {
  relay_.answer(kWrongPassword);
  std::vector<domain::OutboxMessage> messages;
  for (int i = 0; i < 4; ++i) messages.push_back(queue("guest" + std::to_string(i) + "@example.org"));
  start();
  ASSERT_TRUE(eventually([this] { return hold().has_value(); }));
  const auto begun = hold();
  EXPECT_EQ(begun->since, clock_.now());
  EXPECT_EQ(begun->next_try_at, clock_.now() + seconds(30));
  EXPECT_EQ(begun->reason.reply_code, 535);

  // One message probes at 30 s, 1, 2, 4, 8, 10, 10 min; none is charged, and the others are not even tried.
  std::size_t probes = 1;
  for (const auto wait : {30s, 60s, 120s, 240s, 480s, 600s, 600s}) {
    EXPECT_EQ(hold()->next_try_at, clock_.now() + wait);
    clock_.advance(wait - milliseconds(1));
    let_it_look();
    EXPECT_EQ(relay_.count(), probes);
    clock_.advance(milliseconds(1));
    ++probes;
    ASSERT_TRUE(eventually([&] { return hold()->tries == probes; }));
  }
  EXPECT_EQ(relay_.count(), probes);
  for (const auto& message : messages) {
    EXPECT_EQ(stored(message).state, MessageState::queued);
    EXPECT_EQ(stored(message).attempts, 0U);
    EXPECT_EQ(stored(message).deaths, 0U);
  }

  relay_.answer(kSent);
  clock_.advance(minutes(10));
  for (const auto& message : messages) EXPECT_TRUE(becomes(message, MessageState::sent));
  EXPECT_FALSE(hold());
}

TEST_F(DeliveryWorkerTest, M04_M07_M08_the_log_says_why_the_queue_is_held_and_which_setting_mends_it) {
  struct Row {
    Tls tls;
    DeliveryResult result;
    std::vector<std::string> named;
  };
  const auto held = [](int code, const char* stage, const char* text) {
    return DeliveryResult{DeliveryOutcome::held, code, stage, text};
  };
  queue("guest@example.org");
  for (const Row& row : {
           Row{Tls::starttls, held(554, "banner", "5.7.1 no service"), {"mail.host", "mail.port"}},
           Row{Tls::starttls, held(0, "starttls", "STARTTLS is not offered"), {"mail.tls"}},
           Row{Tls::starttls, held(0, "tls", "certificate has expired"), {"mail.ca_file", "mail.host"}},
           Row{Tls::starttls, held(535, "auth", "5.7.8 wrong"), {"mail.user", "mail.password_file"}},
           Row{Tls::starttls, held(530, "mail_from", "5.7.0 sign in"), {"mail.user", "mail.password_file"}},
           Row{Tls::starttls, held(530, "rcpt_to", "5.7.0 sign in"), {"mail.user", "mail.password_file"}},
           Row{Tls::off, held(530, "mail_from", "5.7.0 Must issue a STARTTLS command first"), {"mail.tls"}},
           Row{Tls::off, held(538, "auth", "5.7.11 encrypt"), {"mail.tls"}},
           Row{Tls::starttls, held(550, "mail_from", "5.7.1 not you"), {"mail.from"}},
           Row{Tls::starttls, held(451, "mail_from", "4.7.1 later"), {"mail.from"}},
           Row{Tls::starttls, held(452, "mail_from", "4.3.1 no room"), {"wait", "goes on by itself", "mail.user"}},
           Row{Tls::starttls, held(550, "mail_from", "5.4.5 daily limit"), {"wait", "goes on by itself", "mail.user"}},
       }) {
    const std::string said = "stage=" + row.result.stage + " reply=" + std::to_string(row.result.reply_code);
    write([](domain::Transaction& transaction) { transaction.set_mail_hold(std::nullopt); });
    settings_.tls = row.tls;
    relay_.answer(row.result);
    testing::internal::CaptureStderr();
    start();
    EXPECT_TRUE(eventually([this] { return hold().has_value(); })) << said;
    worker_.reset();  // which has written its log then
    const std::string log = testing::internal::GetCapturedStderr();
    const auto begin = log.find("error mail.held " + said + ' ');
    ASSERT_NE(begin, std::string::npos) << said << '\n' << log;
    const std::string line = log.substr(begin, log.find('\n', begin) - begin);
    EXPECT_THAT(line, HasSubstr(row.result.explanation));
    const auto remedy = line.find(" remedy=");
    ASSERT_NE(remedy, std::string::npos) << line;
    for (const std::string& named : row.named) EXPECT_THAT(line.substr(remedy), HasSubstr(named)) << line;
  }
}

TEST_F(DeliveryWorkerTest, M04_probes_a_held_queue_with_one_message_after_the_other) {
  relay_.answer([this](const Envelope&) {
    clock_.advance(1ms);
    return kWrongPassword;
  });
  queue("one@example.org");
  queue("two@example.org");
  start();
  ASSERT_TRUE(relay_.wait_for(1));
  ASSERT_TRUE(eventually([this] { return hold().has_value(); }));
  clock_.advance(seconds(30));
  ASSERT_TRUE(relay_.wait_for(2));
  EXPECT_NE(relay_.deliveries()[0].envelope.recipient, relay_.deliveries()[1].envelope.recipient);
}

TEST_F(DeliveryWorkerTest, M04_releases_the_queue_when_the_relay_has_an_opinion_on_a_recipient) {
  relay_.answer(kWrongPassword);
  const auto message = queue("nobody@example.org");
  start();
  ASSERT_TRUE(eventually([this] { return hold().has_value(); }));
  relay_.answer(kNoSuchUser);
  clock_.advance(seconds(30));
  EXPECT_TRUE(becomes(message, MessageState::failed));
  EXPECT_FALSE(hold());
}

TEST_F(DeliveryWorkerTest, M04_probes_at_once_after_a_restart) {
  const auto message = queue("guest@example.org");
  write([this](domain::Transaction& transaction) {
    transaction.set_mail_hold(domain::MailHold{clock_.now() - hours(5), clock_.now() + minutes(10), 9, kWrongPassword});
  });
  start();
  EXPECT_TRUE(becomes(message, MessageState::sent));
  EXPECT_FALSE(hold());
}

TEST_F(DeliveryWorkerTest, sends_nothing_again_because_the_clock_is_set_forward_while_it_is_under_way) {
  std::vector<domain::OutboxMessage> messages;
  for (int i = 0; i < 6; ++i) messages.push_back(queue("guest" + std::to_string(i) + "@example.org"));
  const auto claimed = [&] {
    return std::ranges::count_if(messages, [&](const auto& message) { return !attempts(message).empty(); });
  };
  std::atomic<std::size_t> taken = 0;
  relay_.answer([&](const Envelope&) {
    // From the second on, another one is claimed meanwhile: the third here.
    if (++taken == 2) {
      EXPECT_TRUE(eventually([&] { return claimed() == 3; }));
      clock_.advance(hours(1));  // longer than any lease
    }
    return kSent;
  });
  start();
  for (const auto& message : messages) EXPECT_TRUE(becomes(message, MessageState::sent));
  worker_->stop();
  EXPECT_EQ(relay_.count(), messages.size());
  for (const auto& message : messages) {
    EXPECT_EQ(attempts(message).size(), 1U);
    EXPECT_EQ(stored(message).deaths, 0U);
  }
}

TEST_F(DeliveryWorkerTest, waits_no_longer_because_the_clock_was_set_back) {
  start();
  int number = 0;
  for (const auto& trouble : {kBusy, kWrongPassword}) {
    const std::string name = std::to_string(++number) + "@example.org";
    relay_.answer(trouble);
    const auto asked = relay_.count();
    queue("first" + name);
    ASSERT_TRUE(relay_.wait_for(asked + 1));
    let_it_look();
    clock_.advance(-hours(1));
    relay_.answer(kSent);
    EXPECT_TRUE(becomes(queue("after" + name), MessageState::sent)) << trouble.stage;
  }
}

TEST_F(DeliveryWorkerTest, M02_leaves_a_busy_relay_alone_and_charges_only_the_message_it_tried) {
  options_.connections = 3;
  relay_.answer(kBusy);
  std::vector<domain::OutboxMessage> messages;
  for (int i = 0; i < 6; ++i) messages.push_back(queue("guest" + std::to_string(i) + "@example.org"));
  options_.connections = 1;
  start();
  ASSERT_TRUE(is_recorded(messages[0], 1));
  let_it_look();
  EXPECT_EQ(relay_.count(), 1U);
  EXPECT_FALSE(hold());
  clock_.advance(seconds(10) - milliseconds(1));
  let_it_look();
  EXPECT_EQ(relay_.count(), 1U);
  clock_.advance(milliseconds(1));
  ASSERT_TRUE(relay_.wait_for(2));  // one tests the water
  ASSERT_TRUE(is_recorded(messages[1], 1));
  clock_.advance(seconds(19));
  let_it_look();
  EXPECT_EQ(relay_.count(), 2U);
  relay_.answer(kSent);
  clock_.advance(seconds(1));
  for (std::size_t i = 2; i < messages.size(); ++i) EXPECT_TRUE(becomes(messages[i], MessageState::sent)) << i;
  EXPECT_EQ(stored(messages[0]).attempts, 1U);
}

/// The relay's connection that is one too many.
class RefusedTransport final : public Transport {
 public:
  explicit RefusedTransport(std::function<void()> before) : before_(std::move(before)) {}
  domain::DeliveryResult deliver(const Envelope&, const std::string&) override {
    before_();
    return {DeliveryOutcome::deferred, 421, "banner", "4.7.0 Too many concurrent connections"};
  }
  void close() override {}
  void interrupt() override {}

 private:
  std::function<void()> before_;
};

TEST_F(DeliveryWorkerTest, M02_a_connection_that_is_one_too_many_sits_out_and_the_others_go_on) {
  std::vector<domain::OutboxMessage> messages;
  for (int i = 0; i < 20; ++i) messages.push_back(queue("guest" + std::to_string(i) + "@example.org"));
  std::atomic<int> refused = 0;
  // The one that works goes on behind its first mail when the other has been refused, and that is so behind the first.
  relay_.answer([&](const Envelope&) {
    if (relay_.count() > 1) {
      EXPECT_TRUE(eventually([&] { return refused > 0; }));
    }
    return kSent;
  });
  options_.connections = 2;
  std::size_t made = 0;
  const auto make_transport = [&]() -> std::unique_ptr<Transport> {
    if (made++ == 0) return std::make_unique<FakeTransport>(relay_);
    return std::make_unique<RefusedTransport>([&] {
      const auto is_sent = [&](const auto& message) { return stored(message).state == MessageState::sent; };
      EXPECT_TRUE(eventually([&] { return std::ranges::any_of(messages, is_sent); }));
      ++refused;
    });
  };
  start(make_transport, *store_);
  for (const auto& message : messages) {
    EXPECT_TRUE(becomes(message, MessageState::sent));
    EXPECT_EQ(stored(message).attempts, 1U) << "charged for a connection";
  }
  EXPECT_EQ(refused, 1);
}

TEST_F(DeliveryWorkerTest, M19_quarantines_what_cannot_be_rendered_at_once_and_goes_on) {
  static std::vector<base::EmbeddedFile> files(templates::files().begin(), templates::files().end());
  for (base::EmbeddedFile& file : files)
    if (file.name == "invitation_to_accept.text.mustache") file.content = "Dear {{salutation}}";
  builder_ = std::make_unique<MessageBuilder>(settings_, TemplateRenderer(files));
  const auto bad = queue("accept@example.org", [](auto& m) { m.kind = domain::MessageKind::invitation_to_accept; });
  const auto good = queue("guest@example.org");
  start();
  EXPECT_TRUE(becomes(bad, MessageState::quarantined));
  EXPECT_TRUE(becomes(good, MessageState::sent));
  EXPECT_THAT(stored(bad).last_error, HasSubstr("salutation"));
  EXPECT_EQ(relay_.count(), 1U);
}

TEST_F(DeliveryWorkerTest, M23_never_sends_a_mail_whose_link_is_dead) {
  const struct {
    const char* what;
    std::function<void(domain::Invitation&)> change;
  } kRows[] = {
      {"revoked", [](auto& i) { i.state = domain::InvitationState::revoked; }},
      {"accepted", [](auto& i) { i.state = domain::InvitationState::accepted; }},
      {"declined", [](auto& i) { i.state = domain::InvitationState::declined; }},
      {"superseded", [](auto& i) { i.generation += 1; }},
      {"expired", [this](auto& i) { i.expires_at = clock_.now(); }},
  };
  std::vector<domain::OutboxMessage> messages;
  for (const auto& row : kRows) {
    messages.push_back(queue(std::string(row.what) + "@example.org"));
    // As if it happened between the claim and the sending: the message itself was not cancelled.
    write([&](domain::Transaction& transaction) {
      auto invitation = *transaction.find_invitation(messages.back().invitation_id);
      row.change(invitation);
      transaction.update(invitation);
    });
  }
  messages.push_back(queue("cancelled@example.org"));
  write([&](domain::Transaction& t) { t.cancel_messages(messages.back().invitation_id, clock_.now()); });
  messages.push_back(queue("late@example.org", [this](auto& m) { m.expires_at = clock_.now(); }));
  const auto good = queue("guest@example.org");
  start();
  EXPECT_TRUE(becomes(good, MessageState::sent));
  EXPECT_EQ(relay_.count(), 1U);
  for (const auto& message : messages)
    EXPECT_NE(stored(message).state, MessageState::queued) << message.recipient.text();
}

TEST_F(DeliveryWorkerTest, delivers_the_link_to_a_new_password) {
  const auto message = test::sample_reset_message(world_.inviter);
  write([&](domain::Transaction& transaction) { transaction.insert(message); });
  start();
  ASSERT_TRUE(becomes(message, MessageState::sent));
  const auto delivery = relay_.deliveries()[0];
  EXPECT_EQ(delivery.envelope.recipient, "inviter@example.com");
  EXPECT_THAT(delivery.bytes, HasSubstr("\r\n" + message_link(test::kPublicUrl, keys_, message) + "\r\n"));
}

TEST_F(DeliveryWorkerTest, M23_never_sends_a_link_to_a_new_password_that_is_dead) {
  const struct {
    const char* what;
    std::function<void(domain::Account&, domain::OutboxMessage&)> change;
  } kRows[] = {
      {"the password was changed", [](auto& account, auto&) { account.password_generation += 1; }},
      {"disabled", [](auto& account, auto&) { account.disabled = true; }},
      {"nobody's", [](auto&, auto& message) { message.account_id = {}; }},
      {"the hour is over", [this](auto&, auto& message) { message.expires_at = clock_.now(); }},
  };
  std::vector<domain::OutboxMessage> messages;
  for (const auto& row : kRows) {
    auto account = test::sample_account("dead" + std::to_string(messages.size()) + "@example.org");
    account.id = base::Uuid::random();
    messages.push_back(test::sample_reset_message(account));
    write([&](domain::Transaction& transaction) {
      transaction.insert(account);
      row.change(account, messages.back());
      transaction.update(account);
      transaction.insert(messages.back());
    });
  }
  const auto good = queue("guest@example.org");
  start();
  EXPECT_TRUE(becomes(good, MessageState::sent));
  for (std::size_t i = 0; i < messages.size(); ++i)
    EXPECT_TRUE(becomes(messages[i], MessageState::failed)) << kRows[i].what;
  EXPECT_EQ(relay_.count(), 1U);
  EXPECT_THAT(stored(messages[0]).last_error, HasSubstr("password has been changed"));
  EXPECT_THAT(stored(messages[1]).last_error, HasSubstr("gone or disabled"));
}

// Of what one connection does, at most one mail may be with the relay and not in the database: that one would be sent
// again after a crash.
TEST_F(DeliveryWorkerTest, completes_a_mail_only_when_the_outcome_of_the_one_before_is_durable) {
  std::vector<domain::OutboxMessage> messages;
  for (int i = 0; i < 20; ++i) messages.push_back(queue("p" + std::to_string(i) + "@example.com"));
  std::atomic<int> most_unrecorded{0};
  std::vector<std::string> taken;  // by the relay, so far
  relay_.answer([&](const Envelope& envelope) {
    EXPECT_TRUE(envelope.may_complete());
    int unrecorded = 0;
    for (const auto& message : messages)
      if (std::ranges::find(taken, domain::message_id_of(message)) != taken.end() &&
          stored(message).state != domain::MessageState::sent)
        ++unrecorded;
    most_unrecorded = std::max(most_unrecorded.load(), unrecorded);
    taken.push_back(envelope.message_id);
    return DeliveryResult{DeliveryOutcome::sent, 250, "message", "queued"};
  });
  start();
  for (const auto& message : messages) EXPECT_TRUE(becomes(message, domain::MessageState::sent));
  worker_->stop();
  EXPECT_EQ(most_unrecorded, 0);
  EXPECT_EQ(taken.size(), messages.size());
  for (const auto& message : messages) EXPECT_EQ(attempts(message).size(), 1u);
}

TEST_F(DeliveryWorkerTest, M21_sends_no_message_twice_and_no_more_at_once_than_it_may) {
  std::mutex mutex;
  int at_once = 0;
  int most = 0;
  relay_.answer([&](const Envelope&) {
    {
      const std::lock_guard lock(mutex);
      most = std::max(most, ++at_once);
    }
    std::this_thread::sleep_for(milliseconds(3));
    const std::lock_guard lock(mutex);
    --at_once;
    return kSent;
  });
  std::vector<domain::OutboxMessage> messages;
  for (int i = 0; i < 100; ++i) messages.push_back(queue("guest" + std::to_string(i) + "@example.org"));
  options_.connections = 99;
  start();
  for (const auto& message : messages) EXPECT_TRUE(becomes(message, MessageState::sent));
  worker_->stop();
  EXPECT_EQ(relay_.count(), 100U);
  EXPECT_LE(most, static_cast<int>(kMostConnections));
  EXPECT_GE(most, 2);
}

// --- what is not sent now, but may be later ------------------------------------------------------------------------

TEST_F(DeliveryWorkerTest, an_outage_counts_for_no_message_when_it_is_time_to_give_up) {
  options_.retry.give_up_after = hours(2);
  relay_.answer(kWrongPassword);
  const auto message = queue("guest@example.org");
  start();
  ASSERT_TRUE(eventually([this] { return hold().has_value(); }));
  relay_.answer(kGreylisted);
  clock_.advance(hours(3));
  ASSERT_TRUE(eventually([&] { return stored(message).attempts == 1; }));
  EXPECT_EQ(stored(message).state, MessageState::queued) << "its first attempt that was charged to it";
  relay_.answer(kSent);
  clock_.advance(minutes(2));
  EXPECT_TRUE(becomes(message, MessageState::sent));
}

TEST_F(DeliveryWorkerTest, mail_of_a_disabled_environment_waits_until_it_is_enabled) {
  const auto message = queue("guest@example.org");
  const auto set_disabled = [&](bool disabled) {
    write([&](domain::Transaction& t) {
      EXPECT_TRUE(domain::set_environment_disabled(world_.environment.id, disabled, t, clock_.now()));
    });
  };
  set_disabled(true);
  start();
  ASSERT_TRUE(eventually([&] { return stored(message).due_at > clock_.now(); }));
  EXPECT_EQ(stored(message).state, MessageState::queued);
  EXPECT_EQ(stored(message).attempts, 0U);
  EXPECT_FALSE(domain::is_held(stored(message)));
  EXPECT_THAT(stored(message).last_error, HasSubstr("environment is disabled"));
  EXPECT_FALSE(hold()) << "nothing is wrong with the relay";
  for (int hour = 0; hour < 3; ++hour) {
    const auto due_at = stored(message).due_at;
    clock_.advance(hours(1));
    worker_->wake();
    ASSERT_TRUE(eventually([&] { return stored(message).due_at > due_at; }));
  }
  EXPECT_EQ(attempts(message).size(), 1U) << "that it waits on is nothing new";
  EXPECT_EQ(relay_.count(), 0U);
  set_disabled(false);
  worker_->wake();
  EXPECT_TRUE(becomes(message, MessageState::sent));
}

}  // namespace
}  // namespace invited::mail
