#include "config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "support/temporary_directory.h"

namespace invited {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

class ConfigTest : public testing::Test {
 protected:
  /// Loads `content` as the file, with whatever else is in `sources_`.
  std::expected<Config, std::vector<ConfigProblem>> load(const std::string& content) {
    std::ofstream(directory_ / "invited.toml") << content;
    sources_.file = directory_.path() / "invited.toml";
    return load_config(sources_);
  }

  /// The problems as an operator reads them.
  std::vector<std::string> complaints(const std::string& content) {
    std::vector<std::string> texts;
    if (const auto config = load(content); !config)
      for (const ConfigProblem& problem : config.error()) texts.push_back(problem.to_string());
    return texts;
  }

  test::TemporaryDirectory directory_;
  ConfigSources sources_;
};

TEST_F(ConfigTest, DefaultsStandWhereNothingIsSet) {
  const auto config = load_config({});
  ASSERT_TRUE(config) << config.error().front().to_string();
  EXPECT_EQ(config->state_dir, "/var/lib/invited");
  EXPECT_EQ(config->http.listen.to_string(), "127.0.0.1:8080");
  EXPECT_EQ(config->policy.invitation_lifetime, 7 * 24h);
  EXPECT_EQ(config->limits.body, 64U * 1024);
  EXPECT_EQ(config->mail.tls, mail::Tls::starttls);
}

TEST_F(ConfigTest, TheTablesDefaultsAreThoseOfTheModules) {
  const auto config = load_config({});
  ASSERT_TRUE(config);
  const domain::Policy policy;
  EXPECT_EQ(config->policy.invitation_lifetime, policy.invitation_lifetime);
  EXPECT_EQ(config->policy.repeat_window, policy.repeat_window);
  EXPECT_EQ(config->policy.notice_interval, policy.notice_interval);
  EXPECT_EQ(config->policy.idempotency_lifetime, policy.idempotency_lifetime);
  EXPECT_EQ(config->policy.environment_per_second, policy.environment_per_second);
  EXPECT_EQ(config->policy.environment_burst, policy.environment_burst);
  EXPECT_EQ(config->policy.environment_per_day, policy.environment_per_day);
  EXPECT_EQ(config->policy.inviter_per_hour, policy.inviter_per_hour);
  EXPECT_EQ(config->policy.inviter_per_day, policy.inviter_per_day);
  EXPECT_EQ(config->policy.mailbox.per_minute, policy.mailbox.per_minute);
  EXPECT_EQ(config->policy.mailbox.per_hour, policy.mailbox.per_hour);
  EXPECT_EQ(config->policy.mailbox.per_day, policy.mailbox.per_day);
  EXPECT_EQ(config->policy.wrong_links_per_5_minutes, policy.wrong_links_per_5_minutes);
  EXPECT_EQ(config->policy.sign_ups_per_minute, policy.sign_ups_per_minute);
  EXPECT_EQ(config->policy.wrong_passwords_per_minute, policy.wrong_passwords_per_minute);
  EXPECT_EQ(config->policy.wrong_password_interval, policy.wrong_password_interval);
  EXPECT_EQ(config->policy.wrong_sign_ins_per_hour, policy.wrong_sign_ins_per_hour);
  EXPECT_EQ(config->policy.session_lifetime, policy.session_lifetime);
  const calls::Settings refresh;
  EXPECT_EQ(config->refresh.connections, refresh.connections);
  EXPECT_EQ(config->refresh.timeout, refresh.timeout);
  EXPECT_EQ(config->refresh.connect_timeout, refresh.connect_timeout);
  EXPECT_EQ(config->refresh.retry.give_up_after, refresh.retry.give_up_after);
  EXPECT_TRUE(config->refresh.allow_private) << "apps are where operators put them";
  EXPECT_FALSE(config->webhook.allow_private);
  EXPECT_EQ(config->webhook.retry.give_up_after, refresh.retry.give_up_after);
  const http::Limits limits;
  EXPECT_EQ(config->limits.body, limits.body);
  EXPECT_EQ(config->limits.header_block, limits.header_block);
  EXPECT_EQ(config->limits.header_line, limits.header_line);
  EXPECT_EQ(config->limits.header_lines, limits.header_lines);
  EXPECT_EQ(config->limits.uri, limits.uri);
  EXPECT_EQ(config->limits.connections, limits.connections);
  EXPECT_EQ(config->limits.connections_per_address, limits.connections_per_address);
  EXPECT_EQ(config->limits.buffered, limits.buffered);
  EXPECT_EQ(config->limits.headers, limits.headers);
  EXPECT_EQ(config->limits.body_time, limits.body_time);
  EXPECT_EQ(config->limits.body_rate, limits.body_rate);
  EXPECT_EQ(config->limits.answer, limits.answer);
  EXPECT_EQ(config->limits.idle, limits.idle);
  EXPECT_EQ(config->limits.queue_wait, limits.queue_wait);
  EXPECT_EQ(config->delivery.retry.give_up_after, domain::RetryPolicy{}.give_up_after);
}

TEST_F(ConfigTest, AFlagGoesOverTheEnvironmentThatOverTheFileThatOverTheDefault) {
  EXPECT_EQ(load("")->mail.port, 587);
  sources_.defaults["mail.port"] = "1";
  EXPECT_EQ(load("")->mail.port, 1);
  EXPECT_EQ(load("[mail]\nport = 2\n")->mail.port, 2);
  sources_.environment["INVITED_MAIL_PORT"] = "3";
  EXPECT_EQ(load("[mail]\nport = 2\n")->mail.port, 3);
  sources_.flags["mail.port"] = "4";
  EXPECT_EQ(load("[mail]\nport = 2\n")->mail.port, 4);
}

TEST_F(ConfigTest, RetentionIsForEverOrLongEnoughToBeLookedUp) {
  EXPECT_EQ(load("")->retention.attempts, 0s);
  EXPECT_EQ(load("[retention]\nattempts = \"0s\"\n")->retention.attempts, 0s);
  EXPECT_EQ(load("[retention]\nattempts = \"30d\"\n")->retention.attempts, 30 * 24h);
  EXPECT_FALSE(load("[retention]\nattempts = \"1s\"\n"));
}

TEST_F(ConfigTest, ReadsEveryKindOfValueFromTheFile) {
  const auto config = load(R"(
state_dir = "state"
public_url = "https://invite.example.com/"
[http]
listen = "0.0.0.0:80"
max_body = "1MiB"
trusted_proxies = ["10.0.0.1", "192.168.0.0/16"]
idle_timeout = "5m"
[mail]
transport = "directory"
tls = "implicit"
from_name = "Café Ops"
[rates]
mailbox_per_minute = 0
)");
  ASSERT_TRUE(config) << config.error().front().to_string();
  EXPECT_EQ(config->state_dir, directory_.path() / "state") << "relative paths are the file's";
  EXPECT_EQ(config->public_url, "https://invite.example.com");
  EXPECT_EQ(config->http.listen.to_string(), "0.0.0.0:80");
  EXPECT_EQ(config->limits.body, 1024U * 1024);
  EXPECT_THAT(config->http.trusted_proxies, testing::ElementsAre("10.0.0.1", "192.168.0.0/16"));
  EXPECT_EQ(config->limits.idle, 5min);
  EXPECT_EQ(config->mail.transport, mail::TransportKind::directory);
  EXPECT_EQ(config->mail.tls, mail::Tls::implicit);
  EXPECT_EQ(config->mail.from_name, "Café Ops");
  EXPECT_EQ(config->mail.directory, directory_.path() / "state" / "mail");
  EXPECT_EQ(config->policy.mailbox.per_minute, 0U);
}

TEST_F(ConfigTest, TheMessageIdDomainIsThatOfTheSenderUnlessSet) {
  EXPECT_EQ(load("[mail]\nfrom = \"a@b.example\"")->mail.message_id_domain, "b.example");
  EXPECT_EQ(load("[mail]\nfrom = \"a@b.example\"\nmessage_id_domain = \"c.example\"")->mail.message_id_domain,
            "c.example");
}

TEST_F(ConfigTest, O20WhatMayNotStandThereIsRefusedAndNamed) {
  struct Case {
    const char* content;
    const char* key;
    const char* says;
  };
  for (const Case& c : {
           Case{"[mail]\nhosst = \"x\"", "mail.hosst", "Did you mean mail.host?"},
           Case{"host = \"x\"", "host", "Did you mean mail.host?"},
           Case{"listen = \"127.0.0.1:1\"", "listen", "Did you mean http.listen?"},
           Case{"[maill]\nhost = \"x\"", "maill.host", "Did you mean mail.host?"},
           Case{"[nonsense]\n", "[nonsense]", "is not a setting"},
           Case{"[mail.host]\nx = 1", "mail.host.x", "is not a setting"},
           Case{"frobnicate = 1", "frobnicate", "is not a setting"},
           Case{"[mail]\nport = 0", "mail.port", "0 is out of range 1 to 65535"},
           Case{"[mail]\nport = 70000", "mail.port", "70000 is out of range 1 to 65535"},
           Case{"[mail]\nport = -1", "mail.port", "is not a whole number"},
           Case{"[mail]\nport = 1.5", "line 2: mail.port", "must be a text"},
           Case{"[mail]\nport = \"smtp\"", "mail.port", "is not a whole number"},
           Case{"[mail]\nport = [1]", "line 2: mail.port", "must be a list of texts"},
           Case{"[mail]\nconnections = 21", "mail.connections", "out of range 1 to 20"},
           Case{"[mail]\nfrom = \"a@b.example\\r\\nBcc: c@d.example\"", "mail.from", "line break"},
           Case{"[mail]\nfrom_name = \"Ops\\nBcc: c@d.example\"", "mail.from_name", "line break"},
           Case{"[mail]\nfrom_name = \"Ops\\u2028x\"", "mail.from_name", "line break"},
           Case{"[mail]\nfrom_name = \"\\u202Espo\"", "mail.from_name", "may not be there"},
           Case{"[mail]\nreply_to = \"a@b.example\\n\"", "mail.reply_to", "line break"},
           Case{"[mail]\nfrom = \"Ops <a@b.example>\"", "mail.from", "is not a mail address"},
           Case{"[mail]\nfrom = \"a@localhost\"", "mail.from", "is not a mail address"},
           Case{"[mail]\nhost = \"smtp.example.com:25\"", "mail.host", "is not the name or address of a host"},
           Case{"[mail]\nhost = \"smtp://x\"", "mail.host", "is not the name or address of a host"},
           Case{"[mail]\ntls = \"maybe\"", "mail.tls", "none of: starttls, implicit, off"},
           Case{"[mail]\ntls = false", "mail.tls", "none of: starttls, implicit, off"},
           Case{"[mail]\nlease = \"2h\"", "mail.lease", "out of range 1s to 1h"},
           Case{"[invitation]\nlifetime = 7", "invitation.lifetime", "a duration needs its unit"},
           Case{"[invitation]\nlifetime = \"1000d\"", "invitation.lifetime", "out of range 1s to 90d"},
           Case{"[retention]\ninvitations = \"29d\"", "retention.invitations", "out of range 0s or 30d to 36500d"},
           Case{"[http]\nmax_body = \"64KB\"", "http.max_body", "is not a size"},
           Case{"[http]\nmax_body = \"1GiB\"", "http.max_body", "out of range 1KiB to 10MiB"},
           Case{"[http]\nlisten = \"everywhere\"", "http.listen", "is not an address to listen on"},
           Case{"[http]\ntrusted_proxies = [\"proxy\"]", "http.trusted_proxies", "\"proxy\" is not an IP address"},
           Case{"[http]\ncors_origins = [\"*\"]", "http.cors_origins", "\"*\" is not an origin like"},
           Case{"public_url = \"invite.example.com\"", "public_url", "must begin with https://"},
           Case{"public_url = 5", "public_url", "must begin with https://"},
           Case{"[log]\nlevel = \"verbose\"", "log.level", "none of: debug, info, warning, error"},
           Case{"state_dir = ", "invited.toml", "line 1"},
           Case{"[mail]\nport = 1\nport = 2", "invited.toml", "line 3"},
           Case{"[mail]\nfrom = me@example.org", "invited.toml", "in quotes"},
           Case{"[mail]\nhost = smtp.example.org\n", "invited.toml", "in quotes"},
           Case{"[http]\nlisten = 127.0.0.1:8080", "invited.toml", "in quotes"},
       }) {
    EXPECT_THAT(complaints(c.content), Contains(AllOf(HasSubstr(c.key), HasSubstr(c.says)))) << c.content;
  }
}

TEST_F(ConfigTest, QuotesAreNotAskedForWhereTheyAreNotWhatIsMissing) {
  for (const char* content :
       {"state_dir = ", "[mail]\nport = 1\nport = 2", "[mail", "[mail]\nhost = \"a", "[mail]\nport = 1_"})
    EXPECT_THAT(complaints(content), Not(Contains(HasSubstr("in quotes")))) << content;
}

TEST_F(ConfigTest, AProblemNamesTheLineAllProblemsAreToldAtOnce) {
  const auto texts = complaints("# one\n[mail]\nport = 0\nhots = \"x\"\n[http]\nworkers = 0\n");
  EXPECT_THAT(texts, Contains(HasSubstr("invited.toml line 3")));
  EXPECT_THAT(texts, Contains(HasSubstr("invited.toml line 4")));
  EXPECT_THAT(texts, Contains(HasSubstr("invited.toml line 6")));
}

TEST_F(ConfigTest, AProblemNamesTheVariableOrTheFlag) {
  sources_.environment["INVITED_MAIL_PORT"] = "x";
  sources_.flags["http.workers"] = "0";
  const auto texts = complaints("");
  EXPECT_THAT(texts, Contains(HasSubstr("mail.port (INVITED_MAIL_PORT)")));
  EXPECT_THAT(texts, Contains(HasSubstr("http.workers (--http-workers)")));
}

TEST_F(ConfigTest, AFileThatIsNotThereIsAProblem) {
  const auto config =
      load_config({.file = directory_.path() / "none.toml", .environment = {}, .flags = {}, .defaults = {}});
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().front().to_string(), HasSubstr("there is no such file"));
}

TEST_F(ConfigTest, AMisspeltVariableStopsTheStartOthersOfThatPrefixDoNot) {
  struct Case {
    const char* name;
    bool stops;
  };
  for (const Case& c :
       {Case{"INVITED_MAIL_HOSTT", true}, Case{"INVITED_MAIL_NONSENSE", true}, Case{"INVITED_STATEDIR", true},
        Case{"INVITED_HTTP_WORKER", true}, Case{"INVITED_FAILPOINT", false}, Case{"INVITED_BINARY", false},
        Case{"INVITED_PORT_8080_TCP_ADDR", false}, Case{"INVITED_SERVICE_HOST", false}, Case{"INVITED_CONFIG", false},
        Case{"HOME", false}}) {
    sources_.environment = {{c.name, "x"}};
    EXPECT_EQ(complaints("").empty(), !c.stops) << c.name;
  }
}

TEST_F(ConfigTest, EachSettingHasANameOfItsOwnInEveryForm) {
  std::set<std::string> names, variables, flags;
  for (const Setting& setting : settings()) {
    EXPECT_TRUE(names.insert(setting.name).second) << setting.name;
    EXPECT_TRUE(variables.insert(setting.environment_variable()).second) << setting.name;
    EXPECT_TRUE(flags.insert(setting.flag()).second) << setting.name;
    EXPECT_FALSE(setting.help.empty()) << setting.name;
    EXPECT_TRUE(setting.help.ends_with('.') || setting.help.ends_with(')')) << setting.name;
  }
}

TEST_F(ConfigTest, TheServiceNeedsASenderARelayAndItsPublicUrl) {
  const auto keys = [&](const std::string& content) {
    std::vector<std::string> found;
    const auto config = load(content);
    EXPECT_TRUE(config) << content;
    if (config)
      for (const ConfigProblem& problem : problems_for_serving(*config)) found.push_back(problem.key);
    return found;
  };
  EXPECT_THAT(keys(""), testing::UnorderedElementsAre("mail.from", "mail.host"));
  const std::string mail = "[mail]\nfrom = \"a@b.example\"\nhost = \"relay.example\"\n";
  EXPECT_THAT(keys(mail), IsEmpty());
  EXPECT_THAT(keys("[mail]\nfrom = \"a@b.example\"\ntransport = \"directory\"\n"), IsEmpty());
  EXPECT_THAT(keys("http.listen = \"0.0.0.0:80\"\n" + mail), testing::ElementsAre("public_url"));
  EXPECT_THAT(keys("http.tls_certificate = \"c.pem\"\n" + mail), testing::ElementsAre("http.tls_key"));
  EXPECT_THAT(keys("http.tls_key = \"k.pem\"\n" + mail), testing::ElementsAre("http.tls_certificate"));
  EXPECT_THAT(keys(mail + "user = \"me\""), testing::ElementsAre("mail.password_file"));
  EXPECT_THAT(keys(mail + "password_file = \"p\""), testing::ElementsAre("mail.user"));
}

TEST_F(ConfigTest, WhatIsNotSafeIsWarnedOfWithARemedy) {
  const auto keys = [&](const std::string& content) {
    std::vector<std::string> found;
    const auto config = load(content);
    EXPECT_TRUE(config) << content;
    if (config)
      for (const ConfigProblem& problem : unsafe_settings(*config)) found.push_back(problem.key);
    return found;
  };
  EXPECT_THAT(keys(""), IsEmpty());
  EXPECT_THAT(keys("public_url = \"http://127.0.0.1:8080\""), IsEmpty());
  const std::string proxy = "http.trusted_proxies = [\"127.0.0.1\"]\n";
  EXPECT_THAT(keys(proxy + "public_url = \"http://invite.example.com\""), testing::ElementsAre("public_url"));
  EXPECT_THAT(keys(proxy + "public_url = \"https://invite.example.com\""), IsEmpty());
  EXPECT_THAT(keys("public_url = \"https://invite.example.com\""), testing::ElementsAre("http.trusted_proxies"));
  EXPECT_THAT(keys("public_url = \"https://invite.example.com\"\nhttp.listen = \"0.0.0.0:443\"\n"
                   "http.tls_certificate = \"c\"\nhttp.tls_key = \"k\""),
              IsEmpty());
  EXPECT_THAT(keys("http.listen = \"0.0.0.0:80\""), testing::ElementsAre("http.listen"));
  EXPECT_THAT(keys("http.listen = \"0.0.0.0:80\"\nhttp.trusted_proxies = [\"10.0.0.0/8\"]"), IsEmpty());
  EXPECT_THAT(keys("http.trusted_proxies = [\"127.0.0.1\", \"0.0.0.0/0\"]"),
              testing::ElementsAre("http.trusted_proxies"));
  EXPECT_THAT(keys("http.trusted_proxies = [\"::/0\"]"), testing::ElementsAre("http.trusted_proxies"));
  EXPECT_THAT(keys("[mail]\ntls = \"off\"\nhost = \"relay.example\""), testing::ElementsAre("mail.tls"));
  EXPECT_THAT(keys("[mail]\ntls = \"off\"\nhost = \"127.0.0.1\""), IsEmpty());
  EXPECT_THAT(keys(proxy + "public_url = \"https://invite.example.com\"\nmail.transport = \"directory\""),
              testing::ElementsAre("mail.transport"));
  EXPECT_THAT(keys("[mail]\nlease = \"1m\""), testing::ElementsAre("mail.lease"));
  EXPECT_THAT(keys("[rates]\nmailbox_per_day = 0"), testing::ElementsAre("rates.mailbox_*"));
  EXPECT_THAT(keys("[storage]\ndisk_watermark = 0"), testing::ElementsAre("storage.disk_watermark"));
}

TEST_F(ConfigTest, APasswordFilesFirstLineIsThePassword) {
  std::ofstream(directory_ / "password") << "s3cret with blanks \r\nsecond line\n";
  EXPECT_EQ(read_password_file(directory_ / "password")->reveal(), "s3cret with blanks ");
  std::ofstream(directory_ / "empty") << "\n";
  EXPECT_FALSE(read_password_file(directory_ / "empty"));
  EXPECT_FALSE(read_password_file(directory_ / "none"));
}

TEST_F(ConfigTest, TheReadmesTableIsTheProgramsTable) {
  std::ifstream stream(INVITED_README);
  const std::string readme{std::istreambuf_iterator<char>(stream), {}};
  EXPECT_THAT(readme, HasSubstr(settings_as_markdown()))
      << "put the output of `invited settings --markdown` into README.md";
}

}  // namespace
}  // namespace invited
