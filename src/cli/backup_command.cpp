#include "cli/backup_command.h"

#include <unistd.h>

#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "backup.h"
#include "base/log.h"
#include "base/utf8.h"
#include "cli/admin_command.h"
#include "cli/admin_session.h"
#include "cli/command_line.h"
#include "cli/output.h"
#include "cli/table.h"
#include "domain/restore.h"
#include "state_folder.h"
#include "storage/sqlite_store.h"

namespace invited::cli {
namespace {

using admin::Json;
using domain::ErrorCode;
using domain::refuse;
using domain::Result;
using namespace std::chrono_literals;

constexpr auto kBetweenQuestions = 200ms;

/// One line on a terminal that is written again and again; elsewhere nothing, so that logs of cron jobs stay short.
class ProgressLine {
 public:
  ~ProgressLine() { clear(); }
  void show(std::string_view stage, std::uint64_t done, std::uint64_t total) {
    if (!terminal_) return;
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return;
    next_ = now + kBetweenQuestions;
    std::cerr << "\r\033[K" << stage;
    if (total > 0) std::cerr << ": " << done * 100 / total << " %";
    std::cerr << std::flush;
    shown_ = true;
  }
  void clear() {
    if (std::exchange(shown_, false)) std::cerr << "\r\033[K" << std::flush;
  }

 private:
  const bool terminal_ = ::isatty(STDERR_FILENO) == 1;
  bool shown_ = false;
  std::chrono::steady_clock::time_point next_;
};

/// By the running service, which is asked how far it is until it has done it.
Result<Json> backup_by_service(AdminSession& session, const std::string& to) {
  auto started = session.run_in_service("backup start", {{"to", to}});
  if (!started) return started;
  ProgressLine line;
  for (;;) {
    auto status = session.run_in_service("backup status", {{"job", (*started)["job"]}});
    if (!status) return status;
    if (status->value("state", "") == "done") return (*status)["result"];
    line.show(status->value("stage", ""), status->value("done", std::uint64_t{0}),
              status->value("total", std::uint64_t{0}));
    std::this_thread::sleep_for(kBetweenQuestions);
  }
}

/// By ourselves, while nobody uses the database. It is not opened for writing: a backup before an upgrade must not
/// bring the database to the new schema.
Result<Json> backup_offline(const Config& config, const std::string& to) {
  if (!may_have_database(config))
    return refuse(ErrorCode::not_found, "There is no database in " + config.state_dir.string() +
                                            ": name the service with --config or --state-dir.");
  if (auto own = refuse_file_of_shared(guarded_folder(config)); !own) return std::unexpected(std::move(own.error()));
  const auto lock = take_state_folder(config);
  if (!lock) return std::unexpected(lock.error());
  if (!is_shared(config))
    if (auto whole = storage::expect_whole_sqlite_log(database_path(config).string()); !whole)
      return std::unexpected(std::move(whole.error()));
  const base::SystemClock clock;
  ProgressLine line;
  return make_backup(config, to, clock, [&](const BackupProgress& progress) {
    line.show(progress.stage, progress.done, progress.total);
    return true;
  });
}

Result<Json> back_up(const Config& config, const std::string& to) {
  const std::string place = std::filesystem::absolute(to).lexically_normal().string();
  AdminSession session(config, /*may_create=*/false);
  if (session.service_answers()) return backup_by_service(session, place);
  base::log::set_level(base::log::Level::warning);
  return backup_offline(config, place);
}

void print_counts(const Json& result) {
  std::vector<std::pair<std::string, std::string>> lines;
  for (const auto& [member, value] : result.items()) {
    if (value.is_structured() || value.is_null()) continue;
    std::string label = member;
    for (char& c : label)
      if (c == '_') c = ' ';
    lines.emplace_back(label, value.is_string() ? value.get<std::string>() : value.dump());
  }
  if (result.contains("counts"))
    for (const auto& [member, value] : result["counts"].items()) {
      std::string label = member;
      for (char& c : label)
        if (c == '_') c = ' ';
      lines.emplace_back(label, value.dump());
    }
  std::cout << format_lines(lines);
}

/// What an operator does next, in this order.
std::vector<std::string> next_steps(const std::string& which, const Json& result, bool accepted) {
  if (!accepted)
    return {
        "The service refuses to start until you take the database into use: invited serve --after-restore, for one "
        "start; or now: invited restore --after-restore" +
        which};
  const std::string backup_time = result.value("made_at", "the time of the backup");
  std::vector<std::string> steps{
      "Start the service.",
      "What happened after " + backup_time +
          " is not known to it. Withdraw again what was withdrawn since (invited access revoke, account disable, "
          "invitation revoke, token revoke, environment disable), and rotate again passwords of environments and "
          "secrets of webhooks that were rotated. Until then API tokens that were revoked since work again. "
          "People have the passwords of then: invited account set-password where one was changed because somebody "
          "knew it.",
      "Every link that was mailed is dead. Send fresh ones to all who have not answered yet: invited invitation resend "
      "--after-restore" +
          which};
  if (result.value("held_mails", 0) > 0)
    steps.push_back(
        "Mails that were owed then are held, because they may have been sent since: invited mail list "
        "--state queued. The step before replaces those with links. Let the rest go with invited mail "
        "release --all, or drop it with invited mail cancel --held.");
  steps.emplace_back("Everybody has to sign in again.");
  return steps;
}

}  // namespace

BackupCommand::BackupCommand(CLI::App& app)
    : command_(app.add_subcommand("backup", "Back up database and keys, while the service runs or not")) {
  command_
      ->add_option("--to", to_,
                   "a folder, in which the backup becomes a folder named after the time; or the backup's own folder, "
                   "which must not be there yet")
      ->type_name("DIR")
      ->required();
  command_->add_flag("--json", json_, "print one JSON object");
  add_service_options(*command_, choice_);
  command_->footer(
      "Example:\n  invited backup --to /var/backups/invited\n\n"
      "A backup is a folder with the database, the keys and a manifest (versions, counts, SHA-256). It is SECRET: it\n"
      "holds the keys. Whoever has it can make links and read every address: encrypt it before it leaves the machine.\n"
      "The running service makes it, so its user must be allowed to write there. It is one moment's state: all that "
      "was\n"
      "answered before is in it. The copy is checked, and has its name only when it is complete and on disk; nothing "
      "is\n"
      "overwritten. invited restore puts it back. With PostgreSQL it holds the keys only: the database is backed up\n"
      "with PostgreSQL's own tools.");
}

int BackupCommand::run() const {
  const auto config = load(choice_);
  if (!config) return kRefused;
  if (to_.empty() || !base::is_valid_utf8(to_))
    return print_error({ErrorCode::invalid_parameter, "--to: name a folder, in UTF-8.", "to", {}});
  const auto made = back_up(*config, to_);
  if (!made) return print_error(made.error());
  if (json_) {
    print_json(*made);
    return kDone;
  }
  std::cout << "Backup made and checked.\n\n";
  print_counts(*made);
  if (config->database.starts_with("postgres"))
    std::cout << "\nWith PostgreSQL a restore begins with its own tools; all instances must be stopped then.\n";
  std::cout << "\nIt is secret: it holds the keys. To put it back: invited restore --from "
            << made->value("backup", "FOLDER") << '\n';
  return kDone;
}

RestoreCommand::RestoreCommand(CLI::App& app)
    : command_(app.add_subcommand("restore", "Put a backup back; take a restored database into use")) {
  command_->add_option("--from", from_, "the folder that invited backup made")->type_name("DIR");
  command_->add_flag("--replace", replace_,
                     "what is in the state folder is moved aside, into a folder beside it; else a folder with a "
                     "database is refused");
  command_->add_flag("--after-restore", after_restore_,
                     "take the database into use: links that were mailed so far are dead then, mails that are owed are "
                     "held, everybody is signed out. Without --from: the database that is there, restored by whatever "
                     "means");
  command_->add_flag("--json", json_, "print one JSON object");
  add_service_options(*command_, choice_);
  command_->footer(
      "Examples:\n  invited restore --from /var/backups/invited/invited-2026-11-21T031500Z --after-restore\n"
      "  invited restore --after-restore      a snapshot of the machine, a copy by hand: nothing else tells of it\n\n"
      "The service must not run. A restored database is true as of the backup, and nobody knows what happened since:\n"
      "invitations may have been revoked, mails sent. So the service refuses to start with one until --after-restore\n"
      "is said, here or once to invited serve. Broken off anywhere, it can be run again.");
}

int RestoreCommand::run() const {
  const auto config = load(choice_);
  if (!config) return kRefused;
  base::log::set_level(base::log::Level::warning);
  if (from_.empty() && !after_restore_) {
    std::cerr << "invited: Say what to restore with --from, or --after-restore for a database that is there already.\n";
    return kUsage;
  }
  const base::SystemClock clock;
  Json result = Json::object();
  if (!from_.empty()) {
    ProgressLine line;
    auto restored =
        restore_backup(*config, {.from = from_, .replace = replace_}, clock, [&](const BackupProgress& progress) {
          line.show(progress.stage, progress.done, progress.total);
          return true;
        });
    line.clear();
    if (!restored) return print_error(restored.error());
    result = std::move(*restored);
  }
  if (after_restore_) {
    if (!may_have_database(*config))
      return print_error({ErrorCode::not_found,
                          "There is no database in " + config->state_dir.string() +
                              ": name the service with --config or --state-dir, the backup with --from.",
                          {},
                          {}});
    const auto opened = open_state_folder(*config, clock, {}, AfterRestore::certainly);
    if (!opened) return print_error(opened.error());
    result["held_mails"] = opened->accepted->held_messages;
    result["epoch"] = opened->keys.token_keys.epoch;
  }
  result["accepted"] = after_restore_;
  const auto steps = next_steps(options_of(choice_), result, after_restore_);
  if (json_) {
    result["next"] = steps;
    print_json(result);
    return kDone;
  }
  std::cout << (from_.empty() ? "The database is taken into use.\n\n" : "Backup restored.\n\n");
  print_counts(result);
  std::cout << "\nNext:\n";
  for (std::size_t i = 0; i < steps.size(); ++i) std::cout << "  " << i + 1 << ". " << steps[i] << '\n';
  return kDone;
}

}  // namespace invited::cli
