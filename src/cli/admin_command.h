// One admin command from its row in the table: declares its options to CLI11, collects the arguments, runs it, prints
// the result for people or as JSON. CLI11 is included here and in command_line.cpp only.
#pragma once

#include <CLI/App.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "admin/admin_commands.h"
#include "cli/admin_command_table.h"
#include "cli/service_choice.h"

namespace invited::cli {

/// --config and --state-dir.
void add_service_options(CLI::App& command, ServiceChoice& choice);

class AdminCommand {
 public:
  /// Adds the verb below `noun`. Both must outlive this.
  AdminCommand(const CommandSpec& spec, CLI::App& noun);

  bool chosen() const { return command_->parsed(); }
  /// The exit code.
  int run() const;

 private:
  domain::Result<admin::Json> arguments() const;
  domain::Result<admin::Json> fetch_pages(class AdminSession& session, admin::Json arguments) const;

  const CommandSpec& spec_;
  CLI::App* command_;
  ServiceChoice choice_;
  std::map<std::string_view, std::string> texts_;
  std::map<std::string_view, std::vector<std::string>> lists_;
  std::map<std::string_view, bool> flags_;
  bool json_ = false;
  std::uint32_t limit_ = 0;
  std::uint32_t offset_ = 0;
};

}  // namespace invited::cli
