// `incarnation.json` in the state folder: the folder's note of which state of the database it served last
// (domain/incarnation.h). No secret. Belongs to the process that holds the database's lock; with PostgreSQL each
// instance has a folder of its own.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "config_values.h"
#include "domain/incarnation.h"

namespace invited {

inline constexpr std::string_view kIncarnationFileName = "incarnation.json";

/// Nothing where there is no file. The complaint (it cannot be read, is damaged) says what to do.
Parsed<std::optional<domain::IncarnationNote>> load_note(const std::filesystem::path& state_dir);

/// Durable when it returns.
Parsed<void> save_note(const std::filesystem::path& state_dir, const domain::IncarnationNote& note);

}  // namespace invited
