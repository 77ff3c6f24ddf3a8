#include "soap/endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <fstream>
#include <functional>
#include <latch>
#include <stdexcept>
#include <thread>

#include "InviteAPI/InviteAPIInviteAPISoapService.h"
#include "soap/call.h"
#include "soap/documentation_samples.h"
#include "support/soap_service_fixture.h"

namespace invited::soap {
namespace {

using test::envelope;
using test::InviteValues;
using test::kSoap12;
using test::kSoapXml;
using test::kTextXml;
using test::repeat;
using test::send_invite;
using testing::HasSubstr;
using testing::Not;

class EndpointTest : public test::SoapServiceTest {};

TEST_F(EndpointTest, AnswersAGoodCallWithAnEmptyResponse) {
  const auto answer = post(good_request());
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "text/xml; charset=utf-8");
  EXPECT_TRUE(answer.headers.empty());
  // Declares only the namespaces that it uses.
  EXPECT_EQ(answer.body,
            "<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\"><SOAP-ENV:Body>"
            "<tns:SendInviteResponse xmlns:tns=\"http://www.example.com/\"></tns:SendInviteResponse>"
            "</SOAP-ENV:Body></SOAP-ENV:Envelope>\r\n");
  ASSERT_EQ(invitations().size(), 1U);
  EXPECT_EQ(invitations()[0].invitee.key(), "ada@example.org");
  EXPECT_EQ(messages().size(), 1U);
}

TEST_F(EndpointTest, AnswersSoap12InKind) {
  const auto answer = post(envelope(send_invite(good_values()), "", kSoap12), kSoapXml);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "application/soap+xml; charset=utf-8");
  EXPECT_EQ(answer.body,
            "<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"http://www.w3.org/2003/05/soap-envelope\"><SOAP-ENV:Body>"
            "<tns:SendInviteResponse xmlns:tns=\"http://www.example.com/\"></tns:SendInviteResponse>"
            "</SOAP-ENV:Body></SOAP-ENV:Envelope>\r\n");
  EXPECT_EQ(invitations().size(), 1U);
}

TEST_F(EndpointTest, TakesTurnsBetweenTheVersionsOnOneContext) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(post(good_request()).body, HasSubstr(test::kSoap11));
    EXPECT_THAT(post(envelope(send_invite(good_values()), "", kSoap12), kSoapXml).body, HasSubstr(kSoap12));
    EXPECT_EQ(seen(envelope("", "", kSoap12), kSoapXml).summary(), "400 Sender malformed_request");
  }
  EXPECT_EQ(engine_.idle(), 1U);
}

TEST_F(EndpointTest, SaysWhatIsWrongInTheContractsOrder) {
  const auto changed = [&](auto change) {
    InviteValues values = good_values();
    change(values);
    return test::request(values);
  };
  const struct {
    std::string request;
    const char* expected;
    const char* parameter;
  } cases[] = {
      {changed([](auto& v) { v.environment_password = "wrong", v.invitee = ""; }), "500 Client authentication_failed",
       ""},
      {changed([](auto& v) { v.environment_uuid = ""; }), "500 Client authentication_failed", ""},
      {changed([](auto& v) { v.role_uuid = " \n", v.invitee = "x"; }), "500 Client missing_parameter", "RoleUUID"},
      {changed([](auto& v) { v.invitee = "x", v.inviter = "nobody@example.org"; }), "500 Client invalid_email_address",
       "InviteeEmailAddress"},
      {changed([](auto& v) { v.inviter = "nobody@example.org", v.role_uuid = "x"; }),
       "500 Client inviter_without_access", nullptr},
      {changed([](auto& v) { v.role_uuid = "8d1a6a5e-54c5-4a0e-9f64-9d3c1f5b0a77"; }), "500 Client unknown_role",
       nullptr},
  };
  for (const auto& [request, expected, parameter] : cases) {
    const auto fault = seen(request);
    EXPECT_EQ(fault.summary(), expected);
    EXPECT_FALSE(fault.text.empty());
    if (parameter != nullptr) {
      EXPECT_EQ(fault.parameter, parameter);
    }
  }
  EXPECT_TRUE(invitations().empty());
  EXPECT_EQ(seen(good_request()).summary(), "200");
}

TEST_F(EndpointTest, AnswersTheSampleFaultOfThePage) {
  const auto fault = seen(good_with("ada@example.org", "ada"));
  EXPECT_EQ(fault.summary(), "500 Client invalid_email_address");
  EXPECT_THAT(sample_fault(), HasSubstr("<faultstring>" + fault.text + "</faultstring>"));
}

TEST_F(EndpointTest, PassesIdempotencyKeyAndClientAddressOn) {
  const auto call = [&](const std::string& body, const std::string& key) {
    return test::read_answer(test::handle(endpoint_, {body, kTextXml, key, "192.0.2.1"})).summary();
  };
  EXPECT_EQ(call(good_request(), "key"), "200");
  EXPECT_EQ(call(good_request(), "key"), "200");
  EXPECT_EQ(call(good_with("ada@", "eve@"), "key"), "500 Client idempotency_mismatch");
  EXPECT_EQ(call(good_with("ada@", "eve@"), "other"), "200");
  EXPECT_EQ(call(good_request(), repeat("k", 256)), "500 Client invalid_parameter");
  EXPECT_THAT(services()[0].faults,
              testing::IsSupersetOf({domain::ErrorCode::idempotency_mismatch, domain::ErrorCode::invalid_parameter}))
      << "the page names the codes that a call can meet";
  // Ten wrong passwords from one address slow that address, and no other.
  const auto wrong = good_with(password_.reveal(), "wrong");
  std::string last;
  for (int i = 0; i < 12; ++i) last = seen(wrong).summary();
  EXPECT_EQ(last, "500 Client rate_limited");
  EXPECT_EQ(test::read_answer(test::handle(endpoint_, {wrong, kTextXml, {}, "192.0.2.99"})).summary(),
            "500 Client authentication_failed");
}

TEST_F(EndpointTest, LogsFaultsWithCodeAndEnvironmentButNeverThePassword) {
  testing::internal::CaptureStderr();
  seen(good_with("ada@example.org", "nonsense"));
  seen(good_with("<RoleUUID>", "<x/><RoleUUID>"));
  seen(good_with(password_.reveal(), "wr0ng-secret"));
  // The two fields mixed up: what stands in the first one is not logged either.
  InviteValues swapped = good_values();
  std::swap(swapped.environment_uuid, swapped.environment_password);
  seen(test::request(swapped));
  const auto log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("soap.fault code=invalid_email_address"));
  EXPECT_THAT(log, HasSubstr("environment=" + environment_.id.to_string()));
  EXPECT_THAT(log, HasSubstr("soap.fault code=malformed_request"));
  EXPECT_THAT(log, HasSubstr("soap.fault code=authentication_failed"));
  EXPECT_THAT(log, HasSubstr("reason=\"\""));
  EXPECT_THAT(log, Not(HasSubstr(std::string(password_.reveal()))));
  EXPECT_THAT(log, Not(HasSubstr("wr0ng-secret")));
}

// Clients that show of a status 400 nothing but the number leave it to the operator to find out.
TEST_F(EndpointTest, LogsWhatIsWrongWithAMessageButNothingOfItsValues) {
  testing::internal::CaptureStderr();
  seen("<?pi?>" + good_request());
  seen(good_with("<RoleUUID>", "<RoleUuid>x</RoleUuid><RoleUUID>"));
  seen(good_with(password_.reveal(), std::string(password_.reveal()) + "<b/>"));
  const auto log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("reason=\"The request contains a processing instruction: "));
  EXPECT_THAT(log, HasSubstr("reason=\"The request has the parameter RoleUuid, and SendInvite has none of that name"));
  EXPECT_THAT(log, HasSubstr("reason=\"The request contains markup inside a value: "));
  EXPECT_THAT(log, Not(HasSubstr(std::string(password_.reveal()))));
}

TEST_F(EndpointTest, WarnsOfAPasswordThatIsTheUuid) {
  InviteValues values = good_values();
  values.environment_password = "{" + values.environment_uuid + "} ";
  testing::internal::CaptureStderr();
  EXPECT_EQ(seen(test::request(values)).summary(), "500 Client authentication_failed");
  const auto log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("password_is_uuid environment=" + values.environment_uuid));

  testing::internal::CaptureStderr();
  seen(good_request());
  EXPECT_THAT(testing::internal::GetCapturedStderr(), Not(HasSubstr("password_is_uuid")));
}

/// Whoever knows an environment's UUID could fill the disk with lines otherwise, and so does an app that is set up
/// wrong.
TEST_F(EndpointTest, DoesNotRepeatThatWarningForWhoIsSlowedDown) {
  InviteValues values = good_values();
  values.environment_password = values.environment_uuid;
  testing::internal::CaptureStderr();
  std::size_t slowed = 0;
  for (int i = 0; i < 100; ++i) slowed += seen(test::request(values)).summary().contains("rate_limited") ? 1 : 0;
  const auto log = testing::internal::GetCapturedStderr();
  EXPECT_GT(slowed, 80U);
  std::size_t warnings = 0;
  for (auto at = log.find("password_is_uuid"); at != std::string::npos; at = log.find("password_is_uuid", at + 1))
    ++warnings;
  EXPECT_GT(warnings, 0U);
  EXPECT_LE(warnings, 100U - slowed + 1U);
}

/// One connection can have thousands of calls refused in a second, without any password.
TEST_F(EndpointTest, LogsSomeOfManyFaultsOnly) {
  constexpr int kCalls = 1000;
  testing::internal::CaptureStderr();
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kCalls; ++i) EXPECT_NE(seen("<no").summary(), "200");
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(std::chrono::steady_clock::now() - begin).count();
  const auto log = testing::internal::GetCapturedStderr();
  std::int64_t lines = 0;
  for (auto at = log.find("soap.fault "); at != std::string::npos; at = log.find("soap.fault ", at + 1)) ++lines;
  EXPECT_LT(lines, kCalls);
  EXPECT_LE(lines, 20 * (seconds + 1));
}

TEST_F(EndpointTest, ServesManyThreadsAtOnce) {
  constexpr int kThreads = 8;
  constexpr int kCalls = 25;
  policy_.inviter_per_hour = 0;
  policy_.inviter_per_day = 0;
  std::vector<std::jthread> threads;
  std::atomic<int> good = 0;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kCalls; ++i) {
        const auto address = "p" + std::to_string(t) + "-" + std::to_string(i) + "@example.org";
        if (post(good_with("ada@example.org", address)).status == 200) ++good;
        if (post("<broken").status == 400) ++good;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(good, 2 * kThreads * kCalls);
  EXPECT_LE(engine_.idle(), kThreads);
}

// --- with a handler in place of the domain, for what the domain does not do on demand
// ---------------------------------

/// What the handler below saw, and what it does.
struct Script {
  InviteAPI::_tns__SendInvite request{};
  std::function<int(Call&)> then = [](Call& call) {
    call.done = true;
    return SOAP_OK;
  };
};
Script* script = nullptr;

class ScriptedService final : public InviteAPI::InviteAPISoapService {
 public:
  ScriptedService(::soap* context, Call& call) : InviteAPISoapService(context), call_(call) {}
  int SendInvite(InviteAPI::_tns__SendInvite* request, InviteAPI::_tns__SendInviteResponse&) override {
    script->request = *request;
    return script->then(call_);
  }
  InviteAPISoapService* copy() override { return nullptr; }

 private:
  Call& call_;
};

/// run_use_case() without an answer.
template <class UseCase>
bool run_silently(Call& call, UseCase use_case) {
  return run_use_case(call, std::move(use_case), [](const auto&) {});
}

class ScriptedEndpointTest : public domain::UseCaseTest {
 protected:
  ScriptedEndpointTest() { script = &script_; }
  ~ScriptedEndpointTest() override { script = nullptr; }

  test::FaultSeen seen(std::string body) {
    return test::read_answer(test::handle(endpoint_, {body, kTextXml, {}, "192.0.2.1"}));
  }

  Script script_;
  Engine engine_;
  Endpoint endpoint_{{"InviteAPI", "1", "/", Effect::writes,
                      [](::soap* context, Call& call) { return ScriptedService(context, call).dispatch(); }},
                     engine_,
                     *context_};
};

TEST_F(ScriptedEndpointTest, GivesEveryValueToTheOperationByteForByte) {
  const struct {
    std::string written;
    std::string value;
  } cases[] = {
      {"plain", "plain"},
      {"", ""},
      {"   ", "   "},
      {" \n\ta\n\n ", " \n\ta\n\n "},
      {"a&#13;&#10;b&#13;", "a\r\nb\r"},
      {"&lt;a&gt;&amp;amp;]]&gt;&quot;&apos;", "<a>&amp;]]>\"'"},
      {"<![CDATA[<!-- x --><?y?>&z;]]>", "<!-- x --><?y?>&z;"},
      {"\xC3\xA9\xE5\x98\x8D\xE5\x98\x8A\xF0\x9F\x98\x80", "\xC3\xA9\xE5\x98\x8D\xE5\x98\x8A\xF0\x9F\x98\x80"},
      {"\xC2\x85\xE2\x80\xA8\xEF\xBB\xBF", "\xC2\x85\xE2\x80\xA8\xEF\xBB\xBF"},
      {repeat("x", 1024), repeat("x", 1024)},
      {repeat("\xF0\x9F\x98\x80", 256), repeat("\xF0\x9F\x98\x80", 256)},
      {repeat("&#xD;", 1024), repeat("\r", 1024)},
  };
  for (const auto& [written, value] : cases) {
    InviteValues values;
    values.environment_uuid = values.environment_password = values.role_uuid = values.invitee = values.inviter =
        written;
    EXPECT_EQ(seen(test::request(values)).summary(), "200") << written;
    EXPECT_EQ(script_.request.EnvironmentUUID, value);
    EXPECT_EQ(script_.request.EnvironmentPassword, value);
    EXPECT_EQ(script_.request.RoleUUID, value);
    EXPECT_EQ(script_.request.InviteeEmailAddress, value);
    EXPECT_EQ(script_.request.InviterEmailAddress, value);
  }
}

TEST_F(ScriptedEndpointTest, MapsEveryErrorOfAUseCase) {
  for (const auto code : domain::kErrorCodes) {
    script_.then = [code](Call& call) {
      run_silently(call, [&]() -> domain::Result<void> { return domain::refuse(code, "Why."); });
      return SOAP_STOP;
    };
    const auto fault = seen(test::request());
    EXPECT_EQ(fault.detail_code, domain::to_string(code));
    EXPECT_EQ(fault.text, "Why.");
  }
}

TEST_F(ScriptedEndpointTest, AnswersAnExceptionWithOutcomeUnknown) {
  script_.then = [](Call& call) {
    const bool done = run_silently(call, []() -> domain::Result<void> { throw std::runtime_error("boom"); });
    return done ? SOAP_OK : SOAP_STOP;
  };
  const auto fault = seen(test::request());
  EXPECT_EQ(fault.summary(), "500 Server outcome_unknown");
  EXPECT_THAT(fault.text, HasSubstr("call again, that is safe"));
  script_.then = Script{}.then;
  EXPECT_EQ(seen(test::request()).summary(), "200") << "the context is usable afterwards";
}

TEST_F(ScriptedEndpointTest, TellsApartWhetherAnythingWasStoredWhenGsoapFails) {
  script_.then = [](Call&) { return SOAP_EOM; };
  EXPECT_EQ(seen(test::request()).summary(), "500 Server unavailable");
  script_.then = [](Call& call) {
    call.done = true;
    return SOAP_EOM;
  };
  EXPECT_EQ(seen(test::request()).summary(), "500 Server outcome_unknown");
}

TEST_F(ScriptedEndpointTest, NeverCallsTheOutcomeOfAReadUnknown) {
  Endpoint reads{{"InviteAPI", "1", "/", Effect::reads,
                  [](::soap* context, Call& call) { return ScriptedService(context, call).dispatch(); }},
                 engine_,
                 *context_};
  const auto seen = [&] {
    return test::read_answer(test::handle(reads, {test::request(), kTextXml, {}, "192.0.2.1"}));
  };
  const std::function<bool(Call&)> failures[] = {
      [](Call& call) {
        return run_silently(call, []() -> domain::Result<void> { throw std::runtime_error("while it looks"); });
      },
      [](Call& call) {
        return run_use_case(call, [] { return domain::Result<int>(1); }, [](const auto&) { throw std::bad_alloc(); });
      },
  };
  for (const auto& fail : failures) {
    script_.then = [&](Call& call) { return fail(call) ? SOAP_OK : SOAP_STOP; };
    EXPECT_EQ(seen().summary(), "500 Server unavailable");
  }
  script_.then = [](Call& call) {
    call.done = true;
    return SOAP_EOM;  // while it writes the answer
  };
  EXPECT_EQ(seen().summary(), "500 Server unavailable");
}

TEST_F(ScriptedEndpointTest, AnswersAUseCaseThatWasPutOffWhenItHasEnded) {
  Conclude conclude;
  script_.then = [&](Call& call) {
    put_off(call, [&] { return [&](domain::Context&, Conclude given) { conclude = std::move(given); }; });
    return SOAP_OK;
  };
  const auto body = test::request();
  std::optional<SoapAnswer> answer;
  const auto call = [&] {
    answer.reset();
    endpoint_.handle({body, kTextXml, {}, "192.0.2.1"}, [&](SoapAnswer given) { answer = std::move(given); });
    EXPECT_FALSE(answer) << "it has not ended";
    EXPECT_EQ(engine_.idle(), 1U) << "it holds no context";
  };
  call();
  conclude(std::nullopt);
  ASSERT_TRUE(answer);
  EXPECT_EQ(test::read_answer(*answer).summary(), "200");
  for (const auto code : domain::kErrorCodes) {
    call();
    conclude(domain::Error{code, "Why.", {}, {}});
    ASSERT_TRUE(answer);
    const auto fault = test::read_answer(*answer);
    EXPECT_EQ(fault.detail_code, domain::to_string(code));
    EXPECT_EQ(fault.text, "Why.");
  }
}

TEST_F(ScriptedEndpointTest, AnswersForAUseCaseThatWasPutOffAndDoesNotSayHowItEnded) {
  const std::function<void(const Conclude&)> cases[] = {
      [](const Conclude&) { throw std::runtime_error("boom"); },
      [](const Conclude&) {},
  };
  for (const auto& use_case : cases) {
    script_.then = [&](Call& call) {
      put_off(call, [&] { return [&](domain::Context&, const Conclude& conclude) { use_case(conclude); }; });
      return SOAP_OK;
    };
    EXPECT_EQ(seen(test::request()).summary(), "500 Server outcome_unknown");
    EXPECT_EQ(seen(test::envelope(test::send_invite(InviteValues{}), "", kSoap12)).code, "Receiver") << "in kind";
  }

  script_.then = [](Call& call) {
    const bool taken =
        put_off(call, []() -> std::function<void(domain::Context&, Conclude)> { throw std::bad_alloc(); });
    return taken ? SOAP_OK : SOAP_STOP;
  };
  EXPECT_EQ(seen(test::request()).summary(), "500 Server unavailable") << "nothing was begun";
}

std::size_t resident_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6));
  return 0;
}

TEST_F(ScriptedEndpointTest, KeepsSixtyFourContextsWithinSixteenMebibytes) {
  constexpr int kThreads = 64;
  std::latch all_inside(kThreads);
  const auto before = resident_kib();
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t)
      threads.emplace_back([&] {
        EXPECT_FALSE(engine_.run(test::request(), [&](::soap*) {
          all_inside.arrive_and_wait();
          return SOAP_STOP;
        }));
      });
  }
  EXPECT_EQ(engine_.idle(), static_cast<std::size_t>(kThreads));
  const auto grown = resident_kib() - before;
  RecordProperty("grown_kib", static_cast<int>(grown));
  std::printf("64 contexts: %zu KiB\n", grown);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(grown, 16U * 1024);
#endif
}

}  // namespace
}  // namespace invited::soap
