// Files that are all there or not there, whatever happens: temporary file, fsync, then its name, fsync of the folder.
// Made with mode 0600; where root makes one in another user's folder, it belongs to that user. Complaints name the file
// and the system's reason. Thread-safe.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/descriptor.h"
#include "config_values.h"

namespace invited {

using base::Descriptor;

/// Where the file is there already, it stays as it is: of two that start at the same moment one makes it, and both read
/// the same.
Parsed<void> create_file_durably(const std::filesystem::path& path, std::string_view content);

/// Takes the place of the file that is there.
Parsed<void> replace_file_durably(const std::filesystem::path& path, std::string_view content);

/// What root makes in another user's folder is given to that user.
void give_to_owner_of_folder(int file, const std::filesystem::path& folder);

/// Syncs a file or a folder.
Parsed<void> sync_durably(const std::filesystem::path& path);

/// Reads a file of at most `limit` bytes.
Parsed<std::string> read_file(const std::filesystem::path& path, std::size_t limit);

/// The same where it is open already; `path` is for complaints.
Parsed<std::string> read_file(const Descriptor& file, const std::filesystem::path& path, std::size_t limit);

/// "PATH cannot be VERB: REASON", from errno.
std::unexpected<std::string> file_failed(const std::filesystem::path& path, const char* verb);

}  // namespace invited
