#include "cli/command_line.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <deque>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/admin_command.h"
#include "cli/backup_command.h"
#include "cli/check.h"
#include "cli/invite_command.h"
#include "cli/migrate_store.h"
#include "cli/output.h"
#include "cli/table.h"

namespace invited::cli {
namespace {

constexpr const char* kDescription =
    "invited: a self-hosted invitation service. A program makes one call; a person gets a mail\n"
    "with a link, follows it, signs up if need be, and has the role in the app.";

constexpr const char* kFooter =
    "Try it, no mail server needed:\n"
    "  invited demo\n"
    "\n"
    "Set it up:\n"
    "  invited settings                     every setting, its default and what it does\n"
    "  invited check --config FILE          says what is wrong and how to mend it\n"
    "  invited app add --config FILE --name \"Harbour Planner\" --url https://planner.example.com\n"
    "  invited role import --config FILE --app \"Harbour Planner\" model/metadata.json\n"
    "  invited environment add --config FILE --app \"Harbour Planner\" --name Production\n"
    "  invited serve --config FILE\n"
    "\n"
    "Use it from any machine, with an API token:\n"
    "  invited invite --url https://invite.example.com --role User ada@example.com\n"
    "\n"
    "Keep it:\n"
    "  invited backup --config FILE --to /var/backups/invited\n"
    "  invited restore --config FILE --from /var/backups/invited/invited-…\n"
    "\n"
    "Every command takes --help. Commands work while the service runs and while it does not.";

/// A flag for each setting but state_dir, which every command has.
void add_setting_flags(CLI::App& command, std::map<std::string, std::string>& flags) {
  for (const Setting& setting : settings()) {
    if (setting.name == "state_dir") continue;
    // One is asked for so often that it has a short form, the demo's.
    const std::string names = setting.flag() + (setting.name == "http.listen" ? ",--listen" : "");
    CLI::Option* option = command.add_option(names, flags[setting.name], setting.help);
    option->type_name(setting.default_value.empty() ? "" : "(" + setting.default_value + ")");
    option->group("Settings (in the file without dashes: mail.host; in the environment: INVITED_MAIL_HOST)");
  }
}

/// Leaves those flags that were given.
void drop_flags_not_given(const CLI::App& command, std::map<std::string, std::string>& flags) {
  for (const Setting& setting : settings())
    if (const CLI::Option* option = command.get_option_no_throw(setting.flag());
        option != nullptr && option->count() == 0)
      flags.erase(setting.name);
}

void print_settings(bool markdown, bool json) {
  if (markdown) {
    std::cout << settings_as_markdown();
    return;
  }
  if (json) {
    admin::Json list = admin::Json::array();
    for (const Setting& setting : settings())
      list.push_back({{"name", setting.name},
                      {"default", setting.default_value},
                      {"value", setting.kind},
                      {"environment_variable", setting.environment_variable()},
                      {"flag", setting.flag()},
                      {"help", setting.help}});
    print_json(list);
    return;
  }
  std::cout << "Precedence: flag, environment variable, file, default. Environment: INVITED_ and the name in capitals\n"
               "with _ for the dot. Flag: -- and the name with dashes. In the file, TOML: [mail] host = \"…\".\n\n";
  for (const Setting& setting : settings()) {
    std::cout << setting.name;
    if (!setting.default_value.empty()) std::cout << " = " << setting.default_value;
    std::cout << "   (" << setting.kind << ")\n    " << setting.help << "\n";
  }
}

}  // namespace

int run(int argc, char** argv, const Services& services) {
  CLI::App app(kDescription);
  app.name("invited");
  app.footer(kFooter);
  app.set_version_flag("--version", std::string("invited ") + INVITED_VERSION);
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);

  ServiceChoice serve_choice;
  CLI::App* serve = app.add_subcommand("serve", "Run the service");
  add_service_options(*serve, serve_choice);
  bool after_restore = false;
  serve->add_flag("--after-restore", after_restore,
                  "take a database into use that came back from a backup, which is refused otherwise: links that were "
                  "mailed so far are dead then, mails that are owed are held, everybody is signed out. For one start "
                  "only; without effect where there was no restore");
  add_setting_flags(*serve, serve_choice.flags);
  serve->footer(
      "Example:\n  invited serve --config /etc/invited/invited.toml\n\nEnds on SIGTERM, after what is under way.");

  DemoOptions demo_options;
  CLI::App* demo = app.add_subcommand("demo", "Run the service with a demo app; mail goes to a folder and a page");
  demo->add_option("--listen", demo_options.listen, "address and port (127.0.0.1:8080); port 0: a free one")
      ->type_name("ADDRESS:PORT");
  demo->add_option("--state-dir", demo_options.state_dir,
                   "keep everything here, so that it starts again with the same credentials; else a temporary folder")
      ->type_name("DIR");
  demo->add_flag("--json", demo_options.json, "when ready, print one line of JSON with addresses and credentials");
  demo->footer("Examples:\n  invited demo\n  invited demo --listen 127.0.0.1:0 --state-dir ./demo --json");

  ServiceChoice check_choice;
  bool check_json = false;
  CLI::App* check = app.add_subcommand(
      "check",
      "Try configuration, keys, database, relay, public URL and refresh URLs; say what is wrong and how to mend it");
  add_service_options(*check, check_choice);
  check->add_flag("--json", check_json, "print a JSON array of objects");
  add_setting_flags(*check, check_choice.flags);
  check->footer(
      "Example:\n  invited check --config /etc/invited/invited.toml\n\nExit code 1 where something is wrong.");

  const BackupCommand backup(app);
  const RestoreCommand restore(app);
  const InviteCommand invite(app);

  bool markdown = false;
  bool settings_json = false;
  CLI::App* list_settings = app.add_subcommand("settings", "List every setting, its default and what it does");
  list_settings->footer("Example:\n  invited settings | less");
  list_settings->add_flag("--markdown", markdown, "as a Markdown table");
  list_settings->add_flag("--json", settings_json, "print a JSON array of objects");

  MigrateStoreOptions move_options;
  CLI::App* move =
      app.add_subcommand("migrate-store", "Move everything from the SQLite file into a PostgreSQL database");
  move->add_option("--from", move_options.from, "the SQLite file of a service that is stopped")
      ->type_name("sqlite:FILE")
      ->required();
  move->add_option("--to", move_options.to, "an empty database, or what a run that was broken off left")
      ->type_name("postgresql://…")
      ->required();
  move->add_option("--allow-unsafe", move_options.allow_unsafe, "as storage.allow_unsafe")->type_name("SETTING");
  move->add_flag("--json", move_options.json, "print a JSON array of objects: table, rows, digest");
  move->footer(
      "Example:\n  invited migrate-store --from sqlite:/var/lib/invited/invited.db --to "
      "postgresql://invited@db.example.org/invited\n\nSafe to run again. A password is better kept in ~/.pgpass or "
      "PGPASSWORD than in the URL.");

  std::map<std::string_view, CLI::App*> noun_apps;
  for (const NounSpec& noun : nouns()) {
    CLI::App* added = app.add_subcommand(std::string(noun.noun), std::string(noun.help));
    added->require_subcommand(1);
    added->footer("Each takes --help: what it needs, and an example.");  // else the main help's is repeated
    noun_apps[noun.noun] = added;
  }
  std::deque<AdminCommand> commands;  // options point into its elements
  for (const CommandSpec& spec : admin_commands()) commands.emplace_back(spec, *noun_apps[spec.noun]);

  try {
    app.parse(argc, argv);
  } catch (const CLI::RequiredError& error) {
    const auto unknown = app.remaining(/*recurse=*/true);
    if (unknown.empty()) return app.exit(error) == 0 ? kDone : kUsage;
    const bool has_command = std::ranges::any_of(commands, &AdminCommand::chosen);
    std::cerr << (has_command ? "This is not expected here: \"" : "There is no command \"")
              << printable(unknown.front())
              << (has_command ? "\". Values follow the name of their option, like --email.\n" : "\".\n")
              << "Run with --help for more information.\n";
    return kUsage;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kUsage;
  }
  drop_flags_not_given(*serve, serve_choice.flags);
  drop_flags_not_given(*check, check_choice.flags);
  if (serve->parsed()) {
    const auto config = load(serve_choice);
    if (!config) return kRefused;
    return services.serve(*config, after_restore ? AfterRestore::if_restored : AfterRestore::not_said);
  }
  if (demo->parsed()) return services.demo(demo_options);
  if (check->parsed()) return run_check(check_choice, check_json);
  if (move->parsed()) return run_migrate_store(move_options);
  if (backup.chosen()) return backup.run();
  if (restore.chosen()) return restore.run();
  if (invite.chosen()) return invite.run();
  if (list_settings->parsed()) {
    print_settings(markdown, settings_json);
    return kDone;
  }
  for (const AdminCommand& command : commands)
    if (command.chosen()) return command.run();
  return kUsage;
}

}  // namespace invited::cli
