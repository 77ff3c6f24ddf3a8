#include "cli/admin_command_table.h"

#include <array>
#include <vector>

namespace invited::cli {
namespace {

constexpr std::array kNouns{
    NounSpec{"app", "What people are invited to"},
    NounSpec{"environment", "Deployments of an app: they sign in with a UUID and a password"},
    NounSpec{"role", "The roles of an app"},
    NounSpec{"account", "People who can sign in; an inviter needs one"},
    NounSpec{"access", "Who has which role where"},
    NounSpec{"token", "API tokens: with these, programs call the JSON front doors"},
    NounSpec{"invitation", "What was sent, and what became of it"},
    NounSpec{"mail", "What is owed, each attempt, why it failed"},
    NounSpec{"refresh", "Calls that tell apps of changed roles, each attempt, why it failed"},
    NounSpec{"webhook", "Who is told what happens, signed; each delivery, why it failed, replay"},
    NounSpec{"audit", "What changed, who did it, when"},
};

}  // namespace

std::span<const NounSpec> nouns() { return kNouns; }

std::span<const CommandSpec> admin_commands() {
  static const std::vector<CommandSpec> commands = [] {
    std::vector<CommandSpec> all;
    for (const auto part : {app_commands(), people_commands(), mail_commands(), webhook_commands()})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return commands;
}

}  // namespace invited::cli
