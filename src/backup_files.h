// What making a backup and putting it back share: names, the manifest's format, reading large files. Only for
// backup.cpp and restore_backup.cpp. Thread-safe.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "backup.h"
#include "config_values.h"

namespace invited {

inline constexpr std::string_view kBackupNamePrefix = "invited-";
inline constexpr int kManifestFormat = 1;

/// SHA-256 in hexadecimal. Each part is handed to `take`, where there is one.
Parsed<std::string> digest_of_file(const std::filesystem::path& path, const BackupMonitor& monitor,
                                   const std::function<Parsed<void>(std::string_view)>& take = {});

}  // namespace invited
