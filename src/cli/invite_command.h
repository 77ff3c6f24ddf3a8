// `invited invite`: invites people through a running service's JSON API, one or thousands, from the command line or a
// file; with --dry-run it only tells what would happen. For whoever holds an API token, from any machine. Belongs to
// the main thread.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

namespace invited::cli {

class InviteCommand {
 public:
  explicit InviteCommand(CLI::App& app);
  bool chosen() const { return command_->parsed(); }
  /// The exit code: 1 also where one of them was refused.
  int run() const;

 private:
  CLI::App* command_;
  std::vector<std::string> emails_;
  std::string file_;
  std::vector<std::string> roles_;
  std::string url_;
  std::string token_file_;
  std::string expires_;
  std::string redirect_url_;
  bool wait_ = false;
  bool dry_run_ = false;
  bool json_ = false;
};

}  // namespace invited::cli
