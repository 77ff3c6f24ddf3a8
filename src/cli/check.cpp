#include "cli/check.h"

#include <iostream>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>
#include <vector>

#include "base/log.h"
#include "cli/admin_session.h"
#include "cli/check_parts.h"
#include "cli/command_line.h"
#include "cli/output.h"
#include "cli/probe_url.h"
#include "cli/table.h"
#include "mail/transport.h"
#include "routes.h"
#include "state_folder.h"

namespace invited::cli {
namespace {

using admin::Json;

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::ok:
      return "ok";
    case Outcome::warning:
      return "warning";
    case Outcome::failed:
      return "failed";
  }
  return "";
}

void check_file(const ServiceChoice& choice, std::vector<Finding>& findings) {
  if (const auto file = config_file_of(choice))
    findings.push_back({"configuration file", Outcome::ok, "read from " + file->string()});
  else
    findings.push_back({"configuration file", Outcome::ok,
                        "no file was read: --config names one; without it, invited.toml in the state folder or in "
                        "/etc/invited is taken where it is there"});
}

void check_settings(const Config& config, std::vector<Finding>& findings) {
  const auto problems = problems_for_serving(config);
  for (const ConfigProblem& problem : problems)
    findings.push_back({"configuration", Outcome::failed, problem.to_string()});
  const auto unsafe = unsafe_settings(config);
  for (const ConfigProblem& problem : unsafe)
    findings.push_back({"configuration", Outcome::warning, problem.to_string()});
  if (problems.empty() && unsafe.empty())
    findings.push_back({"configuration", Outcome::ok, std::to_string(settings().size()) + " settings read"});
}

void check_listen(const Config& config, std::vector<Finding>& findings) {
  if (const auto port = find_port(config.http.listen); !port)
    findings.push_back({"http.listen", Outcome::failed, port.error()});
}

/// Where apps are to be told of changed roles: whether anybody listens there. A warning at most, as calls are retried.
void check_refresh_urls(const Config& config, AdminSession& session, std::vector<Finding>& findings) {
  const auto environments = session.run("environment list", Json::object());
  if (!environments) return;  // the database's finding says why
  for (const Json& environment : *environments) {
    // A service of an older version has none.
    const auto url = environment.find("refresh_url");
    if (url == environment.end() || !url->is_string() || environment.value("disabled", false)) continue;
    const std::string who = environment.value("app_name", "")
                                .append(" (")
                                .append(environment.value("name", ""))
                                .append(") at ")
                                .append(url->get<std::string>());
    const std::string reason = probe_connection(url->get<std::string>(), config.refresh.ca_file);
    if (reason.empty())
      findings.push_back({"refresh_url", Outcome::ok, "something listens for " + who});
    else
      findings.push_back({"refresh_url", Outcome::warning,
                          std::string(who)
                              .append(" cannot be reached from here: ")
                              .append(reason)
                              .append(". The app learns of changed roles when it can be: start it, or mend the address "
                                      "with invited environment set ")
                              .append(environment.value("environment_uuid", ""))
                              .append(" --refresh-url")});
  }
}

/// A relay that takes nobody's mail ("Relay access denied") refuses each by itself: nothing is held then, and all that
/// can be tried without sending a mail goes well.
void check_mails(AdminSession& session, std::vector<Finding>& findings) {
  constexpr std::uint32_t kNewest = 100;
  const auto mails = session.run("mail list", Json{{"limit", kNewest}});
  if (!mails) return;  // the database's finding says why
  std::size_t sent = 0;
  std::size_t failed = 0;
  std::string newest_reason;
  for (const Json& mail : *mails) {
    const std::string state = mail.value("state", "");
    sent += state == "sent" ? 1 : 0;
    if (state != "failed" && state != "quarantined") continue;
    if (++failed > 1) continue;
    const auto reason = mail.find("last_error");
    newest_reason = reason != mail.end() && reason->is_string() ? reason->get<std::string>() : "no reason was given";
  }
  if (failed > sent)
    findings.push_back({"mails", Outcome::warning,
                        "of the newest, " + std::to_string(failed) + " failed and " + std::to_string(sent) +
                            " were sent; the newest failed with: " + newest_reason +
                            ". See invited mail list --state failed; once it is mended: invited mail retry --all"});
}

struct RunningService {
  bool is_there = false;     ///< be it that it does not answer
  std::string public_url{};  ///< of one that answers
};

RunningService check_database(const Config& config, bool database_exists, std::vector<Finding>& findings) {
  if (!database_exists) {
    findings.push_back({"database", Outcome::ok, "made at the first start"});
    return {};
  }
  AdminSession session(config, /*may_create=*/false);
  if (const auto whole = check_database_content(config); !whole) {
    findings.push_back({"database", Outcome::failed, whole.error().message});
    return {};
  }
  const auto status = session.run("status", Json::object());
  if (!status) {
    const bool is_only_old = status.error().parameter == storage::kSchemaParameter;
    findings.push_back({"database", is_only_old ? Outcome::warning : Outcome::failed, status.error().message});
    return {session.met_service()};
  }
  const bool running = session.through_service();
  if (!status->value("ready", false))
    findings.push_back({"database", Outcome::failed,
                        "takes no writes at the moment: look for errors of the disk in the service's log"});
  else if (running && status->value("version", "") != INVITED_VERSION)
    findings.push_back({"database", Outcome::warning,
                        "the running service is version " + status->value("version", "?") +
                            ", this program " INVITED_VERSION ": restart the service"});
  else
    findings.push_back(
        {"database", Outcome::ok,
         running ? "the running service takes writes" : "opened and closed again; the service does not run"});
  if (const auto hold = session.run("mail hold", Json::object()); hold && !hold->is_null())
    findings.push_back({"mail queue", Outcome::failed,
                        "held since " + hold->value("since", "") + ": " +
                            hold->value("explanation", "no reason was given") +
                            ". Mend what is said under relay; then: invited mail retry --all"});
  check_mails(session, findings);
  check_refresh_urls(config, session, findings);
  return {running, running ? status->value("public_url", config.public_url) : std::string()};
}

void check_relay(const Config& config, std::vector<Finding>& findings) {
  if (config.mail.transport == mail::TransportKind::smtp && config.mail.host.empty()) return;  // said already
  std::error_code error;
  if (config.mail.transport == mail::TransportKind::directory &&
      !std::filesystem::exists(config.mail.directory, error)) {
    findings.push_back(
        {"relay", Outcome::ok, "the folder " + config.mail.directory.string() + " is made with the first mail"});
    return;
  }
  if (!config.mail.password_file.empty()) {
    if (const auto password = read_password_file(config.mail.password_file); !password) {
      findings.push_back({"relay", Outcome::failed, "mail.password_file: " + password.error()});
      return;
    }
    warn_if_open("relay", "mail.password_file", config.mail.password_file, findings);
  }
  const auto relay = mail::check_relay(config.mail);
  if (relay)
    findings.push_back({"relay", Outcome::ok, *relay});
  else
    findings.push_back({"relay", Outcome::failed, relay.error().message});
}

void check_public_url(const RunningService& service, std::vector<Finding>& findings) {
  if (service.public_url.empty()) {
    findings.push_back({"public_url", service.is_there ? Outcome::warning : Outcome::ok,
                        service.is_there ? "not tried, because the service does not answer: see database"
                                         : "not tried, because the service does not run"});
    return;
  }
  const std::string url = service.public_url + "/healthz";
  const auto probed = probe_url(url);
  // Many a web server has a page for whatever it is asked.
  if (probed && probed->status == 200 && probed->begin == kAlive)
    findings.push_back({"public_url", Outcome::ok, "the service answers at " + url});
  else
    findings.push_back({"public_url", Outcome::failed,
                        url +
                            (!probed                 ? " cannot be reached from here: " + probed.error()
                             : probed->status == 200 ? " is answered by something else"
                                                     : " answers with status " + std::to_string(probed->status)) +
                            ". Links in mails begin with public_url, so it must lead to this service: check the name, "
                            "the proxy and the certificate"});
}

}  // namespace

int run_check(const ServiceChoice& choice, bool json) {
  const auto config = load(choice);
  if (!config) return kRefused;
  base::log::set_level(base::log::Level::error);
  std::vector<Finding> findings;
  check_file(choice, findings);
  check_settings(*config, findings);
  const Folder folder = check_state_folder(*config, findings);
  const bool database_exists = folder == Folder::usable && may_have_database(*config);
  RunningService service;
  if (folder == Folder::usable) {
    check_files_of_service(*config, findings);
    check_keys(*config, database_exists, findings);
    check_disk(*config, findings);
  }
  if (folder == Folder::unusable)
    findings.push_back({"database", Outcome::warning, "not tried, because state_dir cannot be used"});
  else
    service = check_database(*config, database_exists, findings);
  check_tls(*config, findings);
  // Where the service runs it has the port itself; whether it does cannot be told without its folder.
  if (!service.is_there && folder != Folder::unusable) check_listen(*config, findings);
  check_export_dir(*config, findings);
  check_ca_file("refresh.ca_file", config->refresh.ca_file, findings);
  check_ca_file("webhook.ca_file", config->webhook.ca_file, findings);
  check_relay(*config, findings);
  if (folder != Folder::unusable) check_public_url(service, findings);

  bool failed = false;
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows;
  for (const Finding& finding : findings) {
    failed = failed || finding.outcome == Outcome::failed;
    list.push_back({{"check", finding.subject}, {"outcome", to_string(finding.outcome)}, {"message", finding.message}});
    rows.push_back({std::string(to_string(finding.outcome)), finding.subject, finding.message});
  }
  if (json)
    print_json(list);
  else
    std::cout << format_table({}, rows);
  return failed ? kRefused : kDone;
}

}  // namespace invited::cli
