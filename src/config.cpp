#include "config.h"

#include <algorithm>
#include <limits>
#include <sstream>
#include <type_traits>
#include <utility>

#include "base/utf8.h"
#include "domain/email_address.h"
#include "storage/sqlite_connection.h"

namespace invited {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using Complaint = std::optional<std::string>;

// The builders: each makes one line of the table. `target` is a function from Config& to the member.

template <class Target, class Function>
std::function<Complaint(Config&, const std::string&)> assigning(Target target, Function parse) {
  return [target, parse](Config& config, const std::string& text) -> Complaint {
    auto value = parse(text);
    if (!value) return value.error();
    target(config) = std::move(*value);
    return std::nullopt;
  };
}

template <class Target>
Setting duration(std::string name, milliseconds default_value, milliseconds min, milliseconds max, Target target,
                 std::string help) {
  const std::string range = format_duration(min) + " to " + format_duration(max);
  auto assign = [=](Config& config, const std::string& text) -> Complaint {
    const auto value = parse_duration(text);
    if (!value) return value.error();
    if (*value < min || *value > max) return text + " is out of range " + range;
    using Duration = std::remove_cvref_t<decltype(target(config))>;
    target(config) = std::chrono::duration_cast<Duration>(*value);
    return std::nullopt;
  };
  return {std::move(name), format_duration(default_value), "duration, " + range, std::move(help), std::move(assign)};
}

/// A time to keep something: "0s" is for ever.
template <class Target>
Setting keeping(std::string name, Target target, std::string help) {
  static constexpr milliseconds kMin = 30 * 24h;
  static constexpr milliseconds kMax = 36'500 * 24h;
  const std::string range = "0s or " + format_duration(kMin) + " to " + format_duration(kMax);
  auto assign = [=](Config& config, const std::string& text) -> Complaint {
    const auto value = parse_duration(text);
    if (!value) return value.error();
    if (*value != 0s && (*value < kMin || *value > kMax))
      return text + " is out of range " + range + " (0s keeps it for ever)";
    target(config) = *value;
    return std::nullopt;
  };
  return {std::move(name), "0s", "duration, " + range, std::move(help), std::move(assign)};
}

template <class Target>
Setting number(std::string name, std::uint64_t default_value, std::uint64_t min, std::uint64_t max, Target target,
               std::string help) {
  const std::string range = std::to_string(min) + " to " + std::to_string(max);
  auto assign = [=](Config& config, const std::string& text) -> Complaint {
    const auto value = parse_whole_number(text);
    if (!value) return value.error();
    if (*value < min || *value > max) return text + " is out of range " + range;
    using Number = std::remove_cvref_t<decltype(target(config))>;
    target(config) = static_cast<Number>(*value);
    return std::nullopt;
  };
  return {std::move(name), std::to_string(default_value), "number, " + range, std::move(help), std::move(assign)};
}

template <class Target>
Setting size(std::string name, std::uint64_t default_value, std::uint64_t min, std::uint64_t max, Target target,
             std::string help) {
  const std::string range = format_size(min) + " to " + format_size(max);
  auto assign = [=](Config& config, const std::string& text) -> Complaint {
    const auto value = parse_size(text);
    if (!value) return value.error();
    if (*value < min || *value > max) return text + " is out of range " + range;
    using Number = std::remove_cvref_t<decltype(target(config))>;
    target(config) = static_cast<Number>(*value);
    return std::nullopt;
  };
  return {std::move(name), format_size(default_value), "size, " + range, std::move(help), std::move(assign)};
}

/// Empty text is taken as "not set".
template <class Target, class Function>
Setting text(std::string name, std::string default_value, std::string kind, Target target, Function parse,
             std::string help) {
  auto assign = [target, parse](Config& config, const std::string& given) -> Complaint {
    if (given.empty()) {
      target(config) = {};
      return std::nullopt;
    }
    auto value = parse(given);
    if (!value) return value.error();
    target(config) = std::move(*value);
    return std::nullopt;
  };
  return {std::move(name), std::move(default_value), std::move(kind), std::move(help), std::move(assign)};
}

template <class Target>
Setting path(std::string name, std::string default_value, Target target, std::string help) {
  auto assign = assigning(target, [](const std::string& given) -> Parsed<std::filesystem::path> { return given; });
  return {std::move(name), std::move(default_value), "path", std::move(help), std::move(assign), /*is_path=*/true};
}

template <class Value, class Target>
Setting choice(std::string name, std::string default_value, const std::vector<std::pair<std::string, Value>>& choices,
               Target target, std::string help) {
  std::string kind;
  for (const auto& [word, value] : choices) kind += (kind.empty() ? "" : ", ") + word;
  auto assign = [=](Config& config, const std::string& given) -> Complaint {
    for (const auto& [word, value] : choices) {
      if (word != given) continue;
      target(config) = value;
      return std::nullopt;
    }
    return "\"" + given + "\" is none of: " + kind;
  };
  return {std::move(name), std::move(default_value), kind, std::move(help), std::move(assign)};
}

Parsed<std::string> mail_address(const std::string& given) {
  if (const auto address = domain::EmailAddress::parse(given)) return address->text();
  return std::unexpected("is not a mail address (name@host.domain; the name of the sender is mail.from_name)");
}

Parsed<std::string> display_name(const std::string& given) {
  if (base::count_code_points(given) > 128) return std::unexpected("is longer than 128 characters");
  return given;
}

Parsed<std::string> domain_name(const std::string& given) {
  auto host = parse_host(given);
  if (!host || host->find('.') == std::string::npos || host->find(':') != std::string::npos)
    return std::unexpected("is not a domain name");
  return *host;
}

Parsed<std::set<std::string>> server_settings(const std::string& given) {
  static const std::set<std::string> kKnown{"fsync", "full_page_writes", "synchronous_commit"};
  std::set<std::string> names;
  std::string name;
  for (std::istringstream words(given); std::getline(words, name, ',');) {
    const std::string trimmed(base::trim(name));
    if (!kKnown.contains(trimmed))
      return std::unexpected("\"" + trimmed + "\" is none of: fsync, full_page_writes, synchronous_commit");
    names.insert(trimmed);
  }
  return names;
}

Parsed<std::string> any_text(const std::string& given) { return given; }

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = 1024 * kKiB;
constexpr std::uint64_t kGiB = 1024 * kMiB;
constexpr std::uint64_t kMaxRate = 1'000'000;

// Short for the targets below, which are nothing but paths into Config.
#define INVITED_TARGET(member) ([](Config& c) -> auto& { return (c.member); })

std::vector<Setting> make_settings() {
  using base::log::Level;
  // What a module decides by has its default there.
  const http::Limits limits;
  const domain::Policy policy;
  const domain::RetryPolicy retry;
  const calls::Settings refresh;
  const calls::Settings webhook;
  return {
      path("state_dir", "/var/lib/invited", INVITED_TARGET(state_dir),
           "Folder of the database (unless `database` names another), the keys and the admin socket. Made with mode "
           "0700 if "
           "missing; back it up."),
      text("database", "", "URL", INVITED_TARGET(database), parse_database_url,
           "postgresql://user@host/name for several instances on one database (several hosts: "
           "postgresql://user@one,two/name). Empty: SQLite, in state_dir."),
      text(
          "public_url", "", "URL", INVITED_TARGET(public_url), [](const std::string& t) { return parse_public_url(t); },
          "What people and programs reach the service by; every link begins with it. Required unless `http.listen` is "
          "a loopback address. Another one changes the OpenIDs of environments whose template holds `{public_url}`, as "
          "the default one does: their apps know nobody any more until the old address stands in the template "
          "(`invited environment set --openid-template`)."),
      duration("shutdown_timeout", 30s, 1s, 5min, INVITED_TARGET(shutdown_timeout),
               "How long SIGTERM waits for requests under way."),
      choice<Level>(
          "log.level", "info",
          {{"debug", Level::debug}, {"info", Level::info}, {"warning", Level::warning}, {"error", Level::error}},
          INVITED_TARGET(log_level), "The least important lines that are logged (to standard error)."),

      text(
          "http.listen", "127.0.0.1:8080", "address:port", INVITED_TARGET(http.listen),
          [](const std::string& t) { return parse_listen_address(t); },
          "Where to listen. Port 0 lets the system choose."),
      path("http.tls_certificate", "", INVITED_TARGET(http.tls_certificate),
           "PEM file with the certificate and its chain. Empty: plain HTTP, for use behind a proxy."),
      path("http.tls_key", "", INVITED_TARGET(http.tls_key), "PEM file with the certificate's private key."),
      number("http.io_threads", 1, 1, 16, INVITED_TARGET(http.io_threads), "Threads that read and write connections."),
      number("http.workers", 64, 1, 1024, INVITED_TARGET(http.workers),
             "Requests worked on at once. Four times as many SendInvites may wait for the disk besides."),
      number("http.queue_length", 1024, 1, 65'536, INVITED_TARGET(http.queue_length),
             "Requests that may wait for a worker; more get 503 with Retry-After."),
      duration("http.queue_wait", limits.queue_wait, 1ms, 30s, INVITED_TARGET(limits.queue_wait),
               "How long a request may wait for a worker before it gets 503."),
      size("http.max_body", limits.body, kKiB, 10 * kMiB, INVITED_TARGET(limits.body),
           "Largest request body; more is 413."),
      size("http.max_header", limits.header_block, kKiB, 256 * kKiB, INVITED_TARGET(limits.header_block),
           "Largest header block; more is 431."),
      number("http.max_header_lines", limits.header_lines, 8, 1000, INVITED_TARGET(limits.header_lines),
             "Most header lines; more is 431."),
      size("http.max_header_line", limits.header_line, kKiB, 64 * kKiB, INVITED_TARGET(limits.header_line),
           "Longest header line; more is 431."),
      size("http.max_target", limits.uri, 256, 64 * kKiB, INVITED_TARGET(limits.uri),
           "Longest path with query; more is 414."),
      number("http.max_connections", limits.connections, 16, 1'000'000, INVITED_TARGET(limits.connections),
             "Connections at once."),
      number("http.max_connections_per_address", limits.connections_per_address, 1, 1'000'000,
             INVITED_TARGET(limits.connections_per_address),
             "Connections at once from one client address (trusted proxies are not counted)."),
      size("http.max_buffered", limits.buffered, kMiB, 16 * kGiB, INVITED_TARGET(limits.buffered),
           "Unfinished requests and unread answers held for all clients together; beyond that 503."),
      duration("http.header_timeout", limits.headers, 100ms, 10min, INVITED_TARGET(limits.headers),
               "Time for a request's headers to arrive."),
      duration("http.body_timeout", limits.body_time, 100ms, 10min, INVITED_TARGET(limits.body_time),
               "Time for a request's body to arrive; longer for large bodies that keep http.min_body_rate."),
      size("http.min_body_rate", limits.body_rate, 0, kMiB, INVITED_TARGET(limits.body_rate),
           "Slowest body, in bytes a second."),
      duration("http.answer_timeout", limits.answer, 100ms, 10min, INVITED_TARGET(limits.answer),
               "Time for a client to read its answer."),
      duration("http.idle_timeout", limits.idle, 100ms, 1h, INVITED_TARGET(limits.idle),
               "How long a kept-alive connection may be silent between requests."),
      text(
          "http.trusted_proxies", "", "list of addresses or networks", INVITED_TARGET(http.trusted_proxies),
          [](const std::string& t) { return parse_network_list(t); },
          "Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."),
      text(
          "http.cors_origins", "", "list of origins", INVITED_TARGET(http.cors_origins),
          [](const std::string& t) { return parse_origin_list(t); },
          "Web pages that may call the JSON API from a browser, like `https://app.example.com`. Empty: none."),

      choice<mail::TransportKind>("mail.transport", "smtp",
                                  {{"smtp", mail::TransportKind::smtp}, {"directory", mail::TransportKind::directory}},
                                  INVITED_TARGET(mail.transport),
                                  "How mail leaves: to a relay, or as .eml files into a folder (for trying out)."),
      path("mail.directory", "", INVITED_TARGET(mail.directory), "Folder for `directory`. Empty: `mail` in state_dir."),
      text(
          "mail.host", "", "host name", INVITED_TARGET(mail.host), [](const std::string& t) { return parse_host(t); },
          "The relay. Required for `smtp`."),
      number("mail.port", 587, 1, 65'535, INVITED_TARGET(mail.port),
             "The relay's port: 587 for starttls, 465 for implicit."),
      choice<mail::Tls>("mail.tls", "starttls",
                        {{"starttls", mail::Tls::starttls}, {"implicit", mail::Tls::implicit}, {"off", mail::Tls::off}},
                        INVITED_TARGET(mail.tls),
                        "Encryption to the relay. It is required: without it no mail is sent, unless `off`."),
      text("mail.user", "", "text", INVITED_TARGET(mail.user), any_text, "User name at the relay. Empty: no sign-in."),
      path("mail.password_file", "", INVITED_TARGET(mail.password_file),
           "File whose first line is the password at the relay (mode 0600)."),
      path("mail.ca_file", "", INVITED_TARGET(mail.ca_file),
           "PEM file with the authorities trusted for the relay's certificate. Empty: the system's."),
      text("mail.from", "", "mail address", INVITED_TARGET(mail.from), mail_address,
           "Sender of all mail, and where bounces go. Required."),
      text("mail.from_name", "", "text", INVITED_TARGET(mail.from_name), display_name,
           "Name shown beside the sender's address."),
      text("mail.reply_to", "", "mail address", INVITED_TARGET(mail.reply_to), mail_address,
           "Where answers go, if not to the sender."),
      text("mail.message_id_domain", "", "domain name", INVITED_TARGET(mail.message_id_domain), domain_name,
           "Right part of Message-IDs. Empty: the domain of mail.from."),
      number("mail.connections", 1, 1, mail::kMostConnections, INVITED_TARGET(delivery.connections),
             "Mails sent at once. Each may be sent twice if the process is killed at that moment."),
      duration(
          "mail.lease", 20min, 1s, 1h, INVITED_TARGET(delivery.lease),
          "How long a mail stays claimed before a worker that vanished is counted as dead. Longer than the relay's "
          "slowest answer (10 minutes)."),
      duration("mail.give_up_after", 96h, 1min, 720h, INVITED_TARGET(delivery.retry.give_up_after),
               "A mail that keeps being deferred fails so long after its first try, or when its link expires."),

      number(
          "refresh.connections", refresh.connections, 1, 16, INVITED_TARGET(refresh.connections),
          "Apps told at once that a person's roles changed (RefreshUserPermissions). Each app is told one thing at a "
          "time."),
      duration("refresh.timeout", refresh.timeout, 1s, 10min, INVITED_TARGET(refresh.timeout),
               "How long an app may take to answer; it asks for the roles meanwhile."),
      duration("refresh.connect_timeout", refresh.connect_timeout, 100ms, 1min, INVITED_TARGET(refresh.connect_timeout),
               "Of that, how long connecting may take."),
      path("refresh.ca_file", "", INVITED_TARGET(refresh.ca_file),
           "PEM file with the authorities trusted for the apps' certificates. Empty: the system's."),
      duration("refresh.give_up_after", refresh.retry.give_up_after, 1min, 720h,
               INVITED_TARGET(refresh.retry.give_up_after),
               "A call that keeps failing is given up so long after its first try."),

      number("webhook.connections", webhook.connections, 1, 16, INVITED_TARGET(webhook.connections),
             "Deliveries to webhooks made at once; to one webhook at most half of them."),
      duration("webhook.timeout", 15s, 1s, 10min, INVITED_TARGET(webhook.timeout),
               "How long a receiver may take to answer."),
      path("webhook.ca_file", "", INVITED_TARGET(webhook.ca_file),
           "PEM file with the authorities trusted for receivers' certificates. Empty: the system's."),
      duration("webhook.give_up_after", webhook.retry.give_up_after, 1min, 720h,
               INVITED_TARGET(webhook.retry.give_up_after),
               "A delivery that keeps failing is given up so long after its first try; it can be replayed by hand."),
      choice<bool>("webhook.allow_private", "false", {{"false", false}, {"true", true}},
                   INVITED_TARGET(webhook.allow_private),
                   "Whether webhooks may lead to addresses that only this machine or its network reaches, and be plain "
                   "http."),

      duration("accounts.session_lifetime", policy.session_lifetime, 1min, 720h,
               INVITED_TARGET(policy.session_lifetime),
               "How long a person stays signed in to the service's own pages."),

      duration("invitation.lifetime", policy.invitation_lifetime, 1s, 2160h, INVITED_TARGET(policy.invitation_lifetime),
               "How long a link is good for."),
      duration("invitation.repeat_window", policy.repeat_window, 0s, 1h, INVITED_TARGET(policy.repeat_window),
               "The same call again within this time is the same invitation and no second mail."),
      duration("invitation.notice_interval", policy.notice_interval, 0s, 720h, INVITED_TARGET(policy.notice_interval),
               "At most one \"you already have access\" mail to a person in this time."),
      duration("invitation.idempotency_lifetime", policy.idempotency_lifetime, 1min, 720h,
               INVITED_TARGET(policy.idempotency_lifetime), "How long an Idempotency-Key is remembered."),

      number("rates.environment_per_second", policy.environment_per_second, 0, kMaxRate,
             INVITED_TARGET(policy.environment_per_second),
             "Invitations a second for each environment. 0 in any rate: no limit."),
      number("rates.environment_burst", policy.environment_burst, 1, kMaxRate, INVITED_TARGET(policy.environment_burst),
             "Of these, how many may come at once."),
      number("rates.environment_per_day", policy.environment_per_day, 0, 100 * kMaxRate,
             INVITED_TARGET(policy.environment_per_day), "Invitations a day for each environment."),
      number("rates.inviter_per_hour", policy.inviter_per_hour, 0, kMaxRate, INVITED_TARGET(policy.inviter_per_hour),
             "Invitations an hour for each inviter."),
      number("rates.inviter_per_day", policy.inviter_per_day, 0, kMaxRate, INVITED_TARGET(policy.inviter_per_day),
             "Invitations a day for each inviter."),
      number("rates.mailbox_per_minute", policy.mailbox.per_minute, 0, kMaxRate,
             INVITED_TARGET(policy.mailbox.per_minute),
             "Mails a minute to one mailbox, from all environments together; more wait for their turn."),
      number("rates.mailbox_per_hour", policy.mailbox.per_hour, 0, kMaxRate, INVITED_TARGET(policy.mailbox.per_hour),
             "Mails an hour to one mailbox."),
      number("rates.mailbox_per_day", policy.mailbox.per_day, 0, kMaxRate, INVITED_TARGET(policy.mailbox.per_day),
             "Mails a day to one mailbox."),
      number("rates.wrong_links_per_5_minutes", policy.wrong_links_per_5_minutes, 0, kMaxRate,
             INVITED_TARGET(policy.wrong_links_per_5_minutes),
             "Look-ups of links that are not genuine, for each client address."),
      number("rates.sign_ups_per_minute", policy.sign_ups_per_minute, 0, kMaxRate,
             INVITED_TARGET(policy.sign_ups_per_minute), "Sign-up and sign-in posts for each client address."),
      number("rates.wrong_sign_ins_per_hour", policy.wrong_sign_ins_per_hour, 0, kMaxRate,
             INVITED_TARGET(policy.wrong_sign_ins_per_hour),
             "Wrong passwords of people, for each account and client address."),
      number("rates.wrong_passwords_per_minute", policy.wrong_passwords_per_minute, 0, kMaxRate,
             INVITED_TARGET(policy.wrong_passwords_per_minute),
             "Wrong passwords for each environment and client address."),
      duration("rates.wrong_password_interval", policy.wrong_password_interval, 0s, 1h,
               INVITED_TARGET(policy.wrong_password_interval),
               "Beyond that: one in this time. Right passwords are never locked out."),

      size("storage.disk_watermark", 64 * kMiB, 0, 1024 * kGiB, INVITED_TARGET(storage.disk_watermark),
           "With less free disk than this, new invitations are refused; mail that is owed and sign-ups go on."),
      size(
          "storage.log_size", storage::SqliteConnection::kLogSize, kMiB, kGiB, INVITED_TARGET(storage.log_size),
          "How long SQLite's log (invited.db-wal) gets before it is written back into the database. With a shorter one "
          "the disk writes more for each invitation, and a start after a crash reads less."),
      number("storage.queue_length", 4096, 16, 65'536, INVITED_TARGET(storage.queue_length),
             "Writes that may wait for the disk; more are refused with 503."),
      number("storage.max_batch", 512, 1, 4096, INVITED_TARGET(storage.max_batch),
             "Most writes that share one commit; with PostgreSQL not more than 128."),
      number("storage.readers", 3, 1, 64, INVITED_TARGET(storage.readers), "Connections for reading."),
      text("storage.allow_unsafe", "", "list of fsync, full_page_writes, synchronous_commit",
           INVITED_TARGET(storage.allow_unsafe), server_settings,
           "Settings of the PostgreSQL server that may let acknowledged invitations be lost. Without their names here "
           "such a server is refused."),

      keeping(
          "retention.invitations", INVITED_TARGET(retention.invitations),
          "Invitations that ended (answered, revoked, expired) longer ago go, with their mails. 0s: kept for ever."),
      keeping(
          "retention.attempts", INVITED_TARGET(retention.attempts),
          "Attempts at mails that are done go after this time; so do mails without an invitation and finished calls "
          "to apps and webhooks. 0s: kept for ever."),
      keeping("retention.audit_events", INVITED_TARGET(retention.audit_events),
              "Audit events older than this go. 0s: kept for ever."),
      path("retention.export_dir", "", INVITED_TARGET(retention.export_dir),
           "Folder where what goes is written first, as JSON lines. Empty: it is deleted without."),
  };
}

#undef INVITED_TARGET

}  // namespace

std::string Setting::environment_variable() const {
  std::string variable = "INVITED_" + name;
  for (char& c : variable) {
    if (c == '.') c = '_';
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return variable;
}

std::string Setting::flag() const {
  std::string flag = "--" + name;
  for (char& c : flag)
    if (c == '.' || c == '_') c = '-';
  return flag;
}

const std::vector<Setting>& settings() {
  static const std::vector<Setting> table = make_settings();
  return table;
}

std::string settings_as_markdown() {
  std::string table = "| setting | default | value | what it does |\n|---|---|---|---|\n";
  for (const Setting& setting : settings()) {
    table += "| `" + setting.name + "` | ";
    if (!setting.default_value.empty()) table += "`" + setting.default_value + "`";
    table += " | " + setting.kind + " | " + setting.help + " |\n";
  }
  return table;
}

}  // namespace invited
