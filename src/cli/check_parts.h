// What the parts of `invited check` hand about. Only for check.cpp and check_files.cpp.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config.h"

namespace invited::cli {

enum class Outcome { ok, warning, failed };

struct Finding {
  std::string subject;  ///< "relay"
  Outcome outcome = Outcome::ok;
  std::string message;  ///< what is so, and for warnings and failures how to mend it
};

/// What is in the state folder can only be tried where it is usable.
enum class Folder { usable, not_there_yet, unusable };
Folder check_state_folder(const Config& config, std::vector<Finding>& findings);

/// Root may read what the service, which runs as the state folder's owner, may not.
void check_files_of_service(const Config& config, std::vector<Finding>& findings);
void check_keys(const Config& config, bool database_exists, std::vector<Finding>& findings);
void check_disk(const Config& config, std::vector<Finding>& findings);
void check_tls(const Config& config, std::vector<Finding>& findings);
void check_ca_file(const char* setting, const std::filesystem::path& file, std::vector<Finding>& findings);
/// Where it cannot be written nothing that is old goes any more, and only the log says so.
void check_export_dir(const Config& config, std::vector<Finding>& findings);
void warn_if_open(const char* subject, const std::string& setting, const std::filesystem::path& file,
                  std::vector<Finding>& findings);

}  // namespace invited::cli
