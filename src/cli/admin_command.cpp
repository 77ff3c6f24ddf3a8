#include "cli/admin_command.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "admin/deployment_package.h"
#include "base/utf8.h"
#include "cli/admin_session.h"
#include "cli/command_line.h"
#include "cli/output.h"

namespace invited::cli {
namespace {

using admin::Json;
using domain::ErrorCode;
using domain::refuse;

/// What a person can take in; programs (--json) get everything.
constexpr std::uint32_t kLinesForPeople = 100;

domain::Result<Json> read_roles(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream)
    return refuse(ErrorCode::not_found, path + " cannot be read: check the name and the permissions.", "file");
  std::error_code error;
  if (std::filesystem::is_directory(path, error))
    return refuse(ErrorCode::not_found, path + " is a folder: name the file model/metadata.json in it.", "file");
  const std::string content{std::istreambuf_iterator<char>(stream), {}};
  auto roles = admin::read_package_roles(content);
  if (!roles) {
    roles.error().message = path + ": " + roles.error().message;
    return std::unexpected(std::move(roles.error()));
  }
  Json list = Json::array();
  for (const domain::ImportedRole& role : *roles) {
    Json manageable = Json::array();
    for (const base::Uuid& id : role.manageable) manageable.push_back(id.to_string());
    list.push_back({{"uuid", role.id.to_string()},
                    {"name", role.name},
                    {"manages_all", role.manages_all},
                    {"manageable", std::move(manageable)}});
  }
  return list;
}

domain::Result<Json> read_password() {
  std::string line;
  std::getline(std::cin, line);
  if (line.ends_with('\r')) line.pop_back();
  if (line.empty())
    return refuse(ErrorCode::missing_parameter,
                  "--password-stdin: there is no password on standard input. Pipe it in, or type it and press Enter.",
                  "password");
  if (!base::is_valid_utf8(line))
    return refuse(ErrorCode::invalid_parameter,
                  "--password-stdin: the password is not valid UTF-8: pipe it in from a file in that encoding.",
                  "password");
  return line;
}

/// What tells an entry of a list from the others: its UUID, which comes first; all of it where it has none.
std::string identity_of(const Json& entry) {
  const auto first = entry.begin();
  const bool has_uuid = entry.is_object() && first != entry.end() && first.key().ends_with("_uuid");
  return has_uuid ? first->dump() : entry.dump();
}

/// A script's variable that is not set must not mean all of them, or a new one. To `set`, '' is a value: none.
std::unexpected<domain::Error> is_empty(std::string_view option) {
  return refuse(ErrorCode::missing_parameter,
                "--" + std::string(option) + " is empty: give it a value, or leave it out.", std::string(option));
}

std::unexpected<domain::Error> not_utf8(std::string_view option) {
  return refuse(ErrorCode::invalid_parameter, "--" + std::string(option) + " is not valid UTF-8.", std::string(option));
}

std::string not_empty(const std::string& value) { return value.empty() ? "is empty" : ""; }

}  // namespace

void add_service_options(CLI::App& command, ServiceChoice& choice) {
  // A script's variable that is not set must not mean the service of /etc.
  command
      .add_option("--config", choice.config, "the service's configuration file (default: /etc/invited/invited.toml)")
      ->envname("INVITED_CONFIG")
      ->type_name("FILE")
      ->check(not_empty)
      ->group("Which service");
  command
      .add_option("--state-dir", choice.state_dir,
                  "the service's state folder, with invited.toml in it if there is one")
      ->type_name("DIR")
      ->check(not_empty)
      ->group("Which service");
}

AdminCommand::AdminCommand(const CommandSpec& spec, CLI::App& noun)
    : spec_(spec), command_(noun.add_subcommand(std::string(spec.verb), std::string(spec.help))) {
  for (const OptionSpec& option : spec.options) {
    const std::string name(option.name);
    const std::string help(option.help);
    CLI::Option* added = nullptr;
    switch (option.kind) {
      case OptionKind::flag:
      case OptionKind::password_stdin:
        added = command_->add_flag("--" + name, flags_[option.name], help);
        break;
      case OptionKind::subject:
      case OptionKind::package_file:
        added = command_->add_option(std::string("--").append(name).append(",").append(name), texts_[option.name], help)
                    ->type_name("");
        break;
      case OptionKind::texts:
        added = command_->add_option("--" + name, lists_[option.name], help)->type_name("")->allow_extra_args(false);
        break;
      case OptionKind::text:
      case OptionKind::duration:
        added = command_->add_option("--" + name, texts_[option.name], help)->type_name("");
        break;
    }
    if (option.required) added->required();
  }
  if (spec.shape == Shape::paged_list) {
    // An empty value would be 0 to CLI11, and no line at all look like nothing to list.
    const auto not_none = [](const std::string& value) {
      return std::string(value.find_first_not_of('0') == std::string::npos ? "must be a number from 1 on" : "");
    };
    command_->add_option("--limit", limit_, "at most so many (default: 100; all with --json)")
        ->type_name("N")
        ->check(not_none);
    command_->add_option("--offset", offset_, "leave out so many of the newest")->type_name("N")->check(not_empty);
  }
  command_->add_flag("--json", json_,
                     spec.shape == Shape::object ? "print one JSON object" : "print a JSON array of objects");
  add_service_options(*command_, choice_);
  command_->footer("Example:\n  " + std::string(spec.example));
}

domain::Result<Json> AdminCommand::arguments() const {
  Json values = Json::object();
  for (const OptionSpec& option : spec_.options) {
    const std::string argument(option.argument.empty() ? option.name : option.argument);
    if (option.kind == OptionKind::flag) {
      if (flags_.at(option.name)) values[argument] = true;
      continue;
    }
    if (option.kind == OptionKind::password_stdin) {
      if (!flags_.at(option.name)) continue;
      auto password = read_password();
      if (!password) return password;
      values["password"] = std::move(*password);
      continue;
    }
    if (option.kind == OptionKind::texts) {
      const std::vector<std::string>& list = lists_.at(option.name);
      if (command_->get_option("--" + std::string(option.name))->count() == 0) continue;
      if (!std::ranges::all_of(list, base::is_valid_utf8)) return not_utf8(option.name);
      values[argument] = list;
      continue;
    }
    const std::string& text = texts_.at(option.name);
    if (text.empty() && command_->get_option("--" + std::string(option.name))->count() == 0) continue;
    if (text.empty() && spec_.verb != "set") return is_empty(option.name);
    if (!base::is_valid_utf8(text)) return not_utf8(option.name);
    if (option.kind == OptionKind::duration) {
      const auto duration = parse_duration(text);
      if (!duration)
        return refuse(ErrorCode::invalid_parameter,
                      "--" + std::string(option.name) + " " + text + ": " + duration.error() + ".",
                      std::string(option.name));
      values[argument] = static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::seconds>(*duration).count());
    } else if (option.kind == OptionKind::package_file) {
      auto roles = read_roles(text);
      if (!roles) return roles;
      values[argument] = std::move(*roles);
    } else {
      values[argument] = text;
    }
  }
  return values;
}

domain::Result<Json> AdminCommand::fetch_pages(AdminSession& session, Json arguments) const {
  const bool limited = command_->get_option("--limit")->count() > 0 || !json_;
  std::uint64_t wanted = command_->get_option("--limit")->count() > 0 ? limit_ : kLinesForPeople;
  if (!limited) wanted = UINT64_MAX;
  Json all = Json::array();
  std::unordered_set<std::string> seen;
  std::uint64_t offset = offset_;
  while (all.size() < wanted) {
    const auto page = std::min<std::uint64_t>(wanted - all.size(), admin::kMaxPage);
    arguments["limit"] = page;
    arguments["offset"] = offset;
    auto part = session.run(std::string(spec_.noun) + " " + std::string(spec_.verb), arguments);
    if (!part) return part;
    const std::size_t size = part->size();
    offset += size;
    // What was added meanwhile moves those of the page before into this one.
    for (Json& entry : *part)
      if (seen.insert(identity_of(entry)).second) all.push_back(std::move(entry));
    if (size < page) break;
  }
  return all;
}

int AdminCommand::run() const {
  auto values = arguments();
  if (!values) return print_error(values.error());
  const auto config = load(choice_);
  if (!config) return kRefused;
  AdminSession session(*config, spec_.may_create);
  const std::string command = std::string(spec_.noun) + " " + std::string(spec_.verb);
  auto result = spec_.shape == Shape::paged_list ? fetch_pages(session, std::move(*values))
                                                 : session.run(command, std::move(*values));
  if (!result) return print_error(result.error());
  if (json_) {
    print_json(*result);
    return kDone;
  }
  if (spec_.noun == "mail" && spec_.verb == "list") {
    const auto hold = session.run("mail hold", Json::object());
    if (hold && !hold->is_null()) print_hold(*hold);
    const auto held = session.run("mail held", Json::object());
    if (held && !held->is_null()) print_held(*held);
  }
  if (spec_.shape == Shape::object)
    print_object(spec_, *result);
  else
    print_list(spec_, *result);
  if (spec_.shape == Shape::paged_list && result->size() == kLinesForPeople && limit_ == 0)
    std::cerr << "The newest " << kLinesForPeople << " are shown; more with --limit and --offset.\n";
  return kDone;
}

}  // namespace invited::cli
