// `invited backup` and `invited restore`: their options, progress on standard error, results and next steps on standard
// output (JSON with --json). Belong to the main thread.
#pragma once

#include <CLI/App.hpp>
#include <string>

#include "cli/service_choice.h"

namespace invited::cli {

class BackupCommand {
 public:
  explicit BackupCommand(CLI::App& app);
  bool chosen() const { return command_->parsed(); }
  /// The exit code.
  int run() const;

 private:
  CLI::App* command_;
  ServiceChoice choice_;
  std::string to_;
  bool json_ = false;
};

class RestoreCommand {
 public:
  explicit RestoreCommand(CLI::App& app);
  bool chosen() const { return command_->parsed(); }
  /// The exit code.
  int run() const;

 private:
  CLI::App* command_;
  ServiceChoice choice_;
  std::string from_;
  bool replace_ = false;
  bool after_restore_ = false;
  bool json_ = false;
};

}  // namespace invited::cli
