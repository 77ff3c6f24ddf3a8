#include "admin/admin_commands.h"

#include <array>
#include <exception>
#include <span>
#include <string>

#include "admin/admin_arguments.h"
#include "base/log.h"

namespace invited::admin {
namespace {

using domain::ErrorCode;
using domain::refuse;
using domain::Result;

/// Is there anybody, and can they work: for `invited check`.
Result<Json> status(const Arguments&, AdminContext& context) {
  return Json{{"version", INVITED_VERSION}, {"ready", context.store.is_ready()}, {"public_url", context.public_url}};
}

Result<Json> no_service() {
  return refuse(ErrorCode::unavailable, "Only the running service does this: it does not run.");
}

Result<Json> backup_start(const Arguments& arguments, AdminContext& context) {
  const auto to = arguments.text("to");
  if (!to) return std::unexpected(to.error());
  return context.start_backup ? context.start_backup(*to) : no_service();
}

Result<Json> backup_status(const Arguments& arguments, AdminContext& context) {
  const auto job = arguments.number("job", 0);
  if (!job) return std::unexpected(job.error());
  return context.backup_status ? context.backup_status(*job) : no_service();
}

constexpr std::array kServiceCommands{Command{"status", "", status}, Command{"backup start", "to", backup_start},
                                      Command{"backup status", "job", backup_status}};

const Command* find_command(std::string_view name) {
  const std::array<std::span<const Command>, 9> tables{kServiceCommands,  app_commands(),     role_commands(),
                                                       people_commands(), token_commands(),   invitation_commands(),
                                                       mail_commands(),   refresh_commands(), webhook_commands()};
  for (const auto& table : tables)
    for (const Command& command : table)
      if (command.name == name) return &command;
  return nullptr;
}

bool knows(const Command& command, std::string_view argument) {
  std::string_view names = command.arguments;
  while (!names.empty()) {
    const std::size_t end = std::min(names.find(' '), names.size());
    if (names.substr(0, end) == argument) return true;
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return false;
}

Result<Json> dispatch(const Json& request, AdminContext& context) {
  if (!request.is_object() || !request.contains("command") || !request["command"].is_string())
    return refuse(ErrorCode::malformed_request, "The request must be an object with a command.");
  const std::string name = request["command"].get<std::string>();
  const Command* command = find_command(name);
  if (command == nullptr)
    return refuse(ErrorCode::malformed_request,
                  "The service does not know the command \"" + name +
                      "\": it may be of another version than this program (" INVITED_VERSION "). Restart it.");
  static const Json kNone = Json::object();
  const Json& values = request.contains("arguments") ? request["arguments"] : kNone;
  if (!values.is_object()) return refuse(ErrorCode::malformed_request, "The arguments must be an object.");
  for (const auto& [argument, value] : values.items())
    if (!knows(*command, argument))
      return refuse(ErrorCode::invalid_parameter,
                    std::string("\"").append(name).append("\" has no argument \"").append(argument).append("\"."),
                    argument);
  return command->handler(Arguments(values), context);
}

}  // namespace

Json execute(const Json& request, AdminContext& context) {
  try {
    auto result = dispatch(request, context);
    if (result) return Json{{"result", std::move(*result)}};
    return Json{{"error", to_json(result.error())}};
  } catch (const std::exception& failure) {
    // Nothing here throws by itself; memory may run out. The operator must not bring the service down.
    base::log::error("admin.failed", {{"reason", failure.what()}});
    return Json{{"error", to_json(domain::Error{.code = ErrorCode::unavailable,
                                                .message = "The command failed inside: see the log.",
                                                .parameter = {},
                                                .retry_after = {}})}};
  }
}

}  // namespace invited::admin
