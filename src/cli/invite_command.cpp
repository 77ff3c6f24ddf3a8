#include "cli/invite_command.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "base/byte_order_mark.h"
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

/// As many as one call of the API takes, and a little less than it may be long.
constexpr std::size_t kAtOnce = 100;
constexpr std::size_t kMostBytes = 60 << 10;
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
  bool is_first = true;
  for (std::string line; std::getline(in, line);) {
    const auto email = base::trim(std::exchange(is_first, false) ? base::without_byte_order_mark(line) : line);
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
    const Json error = result.value("error", Json::object());
    refused += error.empty() ? 0 : 1;
    rows.push_back({printable(result.value("email", "")), printable(result.value("verdict", "")),
                    printable(error.value("detail", ""))});
  }
  std::cout << format_table({"EMAIL", dry_run ? "WOULD BE" : "VERDICT", "REASON"}, rows);
  std::cerr << rows.size() - refused << (dry_run ? " would be done, " : " done, ") << refused << " refused.\n";
}

bool is_rate_limited(const Json& result) {
  return result.value("error", Json::object()).value("code", "") == domain::to_string(ErrorCode::rate_limited);
}

/// Whether it is what a call about `count` addresses answers: nothing else may be taken for verdicts.
bool has_results(const Json& answer, std::size_t count) {
  if (!answer.is_object() || !answer.contains("results") || !answer["results"].is_array()) return false;
  const auto text = [](const Json& object, const char* member) {
    return object.contains(member) && object[member].is_string();
  };
  return answer["results"].size() == count && std::ranges::all_of(answer["results"], [&](const Json& result) {
           if (!result.is_object() || !text(result, "email") || !text(result, "verdict")) return false;
           if (!result.contains("error")) return true;
           const Json& error = result["error"];
           return error.is_object() && text(error, "code") && text(error, "detail") &&
                  (!error.contains("retry") || error["retry"].is_number_unsigned());
         });
}

/// All addresses on their way through as many calls as they need, in their order.
class Invitations {
 public:
  Invitations(const ApiService& service, const std::vector<std::string>& emails, Json item, bool dry_run, bool wait)
      : service_(service), emails_(emails), item_(std::move(item)), dry_run_(dry_run), wait_(wait) {
    verdicts_.resize(emails.size());
    for (std::size_t i = 0; i < emails.size(); ++i) open_.push_back(i);
  }

  /// What ends it; what was handled before is in `results`.
  Result<void> send() {
    while (!open_.empty()) {
      const std::vector<std::size_t> taken = take_some();
      const auto retry = call(taken);
      if (!retry) return std::unexpected(retry.error());
      if (*retry > std::chrono::seconds::zero()) {
        std::cerr << open_.size() << " are left; the service takes more in " << retry->count() << " s.\n";
        std::this_thread::sleep_for(*retry);
      }
    }
    return {};
  }

  Json results() const {
    Json list = Json::array();
    for (const Json& verdict : verdicts_)
      if (!verdict.is_null()) list.push_back(verdict);
    return list;
  }

 private:
  std::vector<std::size_t> take_some() {
    std::vector<std::size_t> taken;
    body_ = {{"dry_run", dry_run_}, {"invitations", Json::array()}};
    for (std::size_t bytes = 0; !open_.empty() && taken.size() < kAtOnce;) {
      item_["email"] = emails_[open_.front()];
      bytes += item_.dump(-1, ' ', false, Json::error_handler_t::replace).size() + 1;
      if (!taken.empty() && bytes > kMostBytes) break;
      body_["invitations"].push_back(item_);
      taken.push_back(open_.front());
      open_.pop_front();
    }
    return taken;
  }

  /// How long to wait before the next call. Those that the service does not take yet are open again, with --wait.
  Result<std::chrono::seconds> call(const std::vector<std::size_t>& taken) {
    // One key for each call: a call whose answer is lost is made again without inviting twice.
    const auto answer = post_json(service_, "/api/v1/invitations/bulk", body_, run_ + "-" + std::to_string(calls_++));
    if (!answer) {
      if (!wait_ || answer.error().code != ErrorCode::rate_limited || !answer.error().retry_after)
        return std::unexpected(answer.error());
      open_.insert(open_.begin(), taken.begin(), taken.end());
      return *answer.error().retry_after;
    }
    if (!has_results(*answer, taken.size())) return std::unexpected(not_as_invited(service_));
    std::chrono::seconds wait{0};
    std::vector<std::size_t> again;
    for (std::size_t i = 0; i < taken.size(); ++i) {
      const Json& result = (*answer)["results"][i];
      if (wait_ && is_rate_limited(result)) {
        again.push_back(taken[i]);
        wait = std::max(wait, std::chrono::seconds(result["error"].value("retry", 60U)));
      } else {
        verdicts_[taken[i]] = result;
      }
    }
    open_.insert(open_.begin(), again.begin(), again.end());
    return wait;
  }

  const ApiService& service_;
  const std::vector<std::string>& emails_;
  Json item_;
  const bool dry_run_;
  const bool wait_;
  const std::string run_ = base::to_base64url(base::random_bytes(16));
  std::size_t calls_ = 0;
  Json body_;
  std::vector<Json> verdicts_;    ///< of each address; null: none yet
  std::deque<std::size_t> open_;  ///< those without one
};

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
  command_->add_flag(
      "--wait", wait_,
      "where the service takes no more for now, wait and go on (by default 100 an hour from one person)");
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

  Invitations invitations(*service, *emails, item, dry_run_, wait_);
  const auto handled = invitations.send();
  const Json results = invitations.results();
  if (json_)
    print_json(results);
  else
    print_results(results, dry_run_);
  if (!handled) {
    std::cerr << "Of " << emails->size() << " addresses " << results.size() << " were handled, those above.\n";
    return print_error(handled.error());
  }
  const bool all_done =
      std::ranges::none_of(results, [](const Json& result) { return result.value("verdict", "") == "refused"; });
  if (!wait_ && std::ranges::any_of(results, is_rate_limited))
    std::cerr << "The service takes so many in an hour and no more: --wait goes on when it takes the others.\n";
  return all_done ? kDone : kRefused;
}

}  // namespace invited::cli
