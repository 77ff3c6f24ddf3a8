// Prints what admin commands answer: JSON for programs, tables and lines for people, errors with their remedy.
#pragma once

#include "admin/admin_commands.h"
#include "cli/admin_command_table.h"

namespace invited::cli {

/// To standard output, indented, one line end after it.
void print_json(const admin::Json& json);
void print_list(const CommandSpec& spec, const admin::Json& list);
void print_object(const CommandSpec& spec, const admin::Json& object);
/// The notice above `mail list` while the queue is held.
void print_hold(const admin::Json& hold);
/// The notice above `mail list` while mails are held after a restore.
void print_held(const admin::Json& held);
/// To standard error; returns the exit code.
int print_error(const domain::Error& error);

}  // namespace invited::cli
