#include "cli/invite_command.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/crypto.h"
#include "base/utf8.h"
#include "cli/api_client.h"
#include "cli/command_line.h"
#include "cli/output.h"
#include "cli/table.h"
#include "config_values.h"
#include "durable_file.h"

namespace invited::cli {
namespace {

using domain::ErrorCode;
using domain::refuse;
using domain::Result;
using Json = nlohmann::ordered_json;

/// As many as one call of the API takes.
constexpr std::size_t kAtOnce = 100;
constexpr std::size_t kLongestTokenFile = 4'096;
constexpr const char* kTokenVariable = "INVITED_API_TOKEN";
constexpr const char* kUrlVariable = "INVITED_API_URL";

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::string first_line(const std::string& text) { return std::string(base::trim(text.substr(0, text.find('\n')))); }

/// One address a line; empty lines and those that begin with # count nothing.
void read_lines(std::istream& in, std::vector<std::string>& emails) {
  for (std::string line; std::getline(in, line);) {
    const auto email = base::trim(line);
    if (!email.empty() && email.front() != '#') emails.emplace_back(email);
  }
}

Result<std::vector<std::string>> all_emails(std::vector<std::string> emails, const std::string& file) {
  if (file == "-") {
    read_lines(std::cin, emails);
  } else if (!file.empty()) {
    std::ifstream in(file);
    if (!in) return refuse(ErrorCode::not_found, file + " cannot be read: check --file.", "file");
    read_lines(in, emails);
  }
  if (emails.empty())
    return refuse(ErrorCode::missing_parameter, "Name at least one address, or a file with --file.", "email");
  return emails;
}

Result<ApiService> find_service(std::string url, const std::string& token_file) {
  if (url.empty()) url = from_environment(kUrlVariable);
  while (url.ends_with('/')) url.pop_back();
  if (!url.starts_with("http://") && !url.starts_with("https://"))
    return refuse(ErrorCode::missing_parameter,
                  "Say with --url, or in INVITED_API_URL, where the service is: https://invite.example.org.", "url");
  std::string token = from_environment(kTokenVariable);
  if (!token_file.empty()) {
    const auto content = read_file(token_file, kLongestTokenFile);
    if (!content) return refuse(ErrorCode::not_found, content.error() + ": check --token-file.", "token-file");
    token = first_line(*content);
  }
  if (token.empty())
    return refuse(
        ErrorCode::missing_parameter,
        "An API token is needed: in INVITED_API_TOKEN or a file named by --token-file. Operators make one with "
        "invited token add.",
        "token");
  return ApiService{std::move(url), base::Secret(std::move(token))};
}

void print_results(const Json& results, bool dry_run) {
  std::vector<std::vector<std::string>> rows;
  std::size_t refused = 0;
  for (const Json& result : results) {
    const bool is_refused = result.contains("error") && result["error"].is_object();
    refused += is_refused ? 1 : 0;
    rows.push_back({printable(result.value("email", "")), result.value("verdict", ""),
                    is_refused ? printable(result["error"].value("detail", "")) : ""});
  }
  std::cout << format_table({"EMAIL", dry_run ? "WOULD BE" : "VERDICT", "REASON"}, rows);
  std::cerr << rows.size() - refused << (dry_run ? " would be done, " : " done, ") << refused << " refused.\n";
}

}  // namespace

InviteCommand::InviteCommand(CLI::App& app)
    : command_(app.add_subcommand("invite", "Invite people through a running service, with an API token")) {
  command_->add_option("email", emails_, "mail addresses")->type_name("EMAIL");
  command_->add_option("--file", file_, "one address a line; - for standard input")->type_name("FILE");
  // One value each time: what follows it is an address.
  command_->add_option("--role", roles_, "UUID or name of a role; several: again")
      ->type_name("ROLE")
      ->required()
      ->allow_extra_args(false);
  command_->add_option("--url", url_, "where the service is; else INVITED_API_URL")->type_name("URL");
  command_->add_option("--token-file", token_file_, "a file with the API token; else INVITED_API_TOKEN")
      ->type_name("FILE");
  command_->add_option("--expires", expires_, "how long the links live: 7d, 12h")->type_name("DURATION");
  command_->add_option("--redirect-url", redirect_url_, "where people go after accepting, one that the app allows")
      ->type_name("URL");
  command_->add_flag("--dry-run", dry_run_, "only tell what would happen to each");
  command_->add_flag("--json", json_, "print a JSON array of objects");
  command_->footer(
      "Example:\n  INVITED_API_TOKEN=invited_… invited invite --url https://invite.example.org --role User "
      "ada@example.org\n  invited invite --token-file token --role User --file people.txt --dry-run\n\nExit code 1 "
      "where "
      "one was refused; the others are invited.");
}

int InviteCommand::run() const {
  const auto service = find_service(url_, token_file_);
  if (!service) return print_error(service.error());
  const auto emails = all_emails(emails_, file_);
  if (!emails) return print_error(emails.error());
  Json item{{"roles", roles_}};
  if (!expires_.empty()) {
    const auto duration = parse_duration(expires_);
    if (!duration)
      return print_error({ErrorCode::invalid_parameter, "--expires: " + duration.error() + ".", "expires", {}});
    item["expires_in"] = std::chrono::floor<std::chrono::seconds>(*duration).count();
  }
  if (!redirect_url_.empty()) item["redirect_url"] = redirect_url_;

  // One key for each call: a call whose answer is lost is made again without inviting twice.
  const std::string run = base::to_base64url(base::random_bytes(16));
  Json results = Json::array();
  for (std::size_t first = 0; first < emails->size(); first += kAtOnce) {
    Json body{{"dry_run", dry_run_}, {"invitations", Json::array()}};
    for (std::size_t i = first; i < std::min(first + kAtOnce, emails->size()); ++i) {
      item["email"] = (*emails)[i];
      body["invitations"].push_back(item);
    }
    const auto answer =
        post_json(*service, "/api/v1/invitations/bulk", body, run + "-" + std::to_string(first / kAtOnce));
    if (!answer) {
      if (first > 0) std::cerr << "Of " << emails->size() << " addresses the first " << first << " were handled.\n";
      return print_error(answer.error());
    }
    for (const Json& result : (*answer)["results"]) results.push_back(result);
  }
  if (json_)
    print_json(results);
  else
    print_results(results, dry_run_);
  const bool all_done =
      std::ranges::none_of(results, [](const Json& result) { return result.value("verdict", "") == "refused"; });
  return all_done ? kDone : kRefused;
}

}  // namespace invited::cli
