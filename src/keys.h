// The key file, `keys.json` in the state folder: what must not lie in the database (token keys, epoch, pepper, CSRF
// key). Made once, at the very first start; whoever loses it loses every environment's password and every open link, so
// a missing one beside a database stops the start. Written so that a power cut leaves all of it or nothing.
#pragma once

#include <filesystem>
#include <string>

#include "base/secret.h"
#include "config_values.h"
#include "domain/incarnation.h"
#include "domain/token.h"

namespace invited {

struct Keys {
  domain::TokenKeys token_keys;
  base::Secret pepper;    ///< 32 bytes, for environments' issued passwords
  base::Secret csrf_key;  ///< 32 bytes, for the pages' forms
};

inline constexpr std::string_view kKeyFileName = "keys.json";

/// Reads `state_dir`/keys.json. The complaint is a sentence with the remedy: missing, empty, damaged, or readable by
/// group or others.
Parsed<Keys> load_keys(const std::filesystem::path& state_dir);

/// The same, but makes the file where neither it nor the database exists. It is durable before this returns, so that
/// no database can be there without its keys.
Parsed<Keys> load_or_create_keys(const std::filesystem::path& state_dir, bool database_exists);

/// What a database remembers of the keys: a digest of the pepper, which no rotation changes, and the epoch.
domain::KeyMarks marks_of(const Keys& keys);

/// Writes `epoch` into the file, which is otherwise left as it is, and into `keys`; durable when this returns.
Parsed<void> set_epoch(const std::filesystem::path& state_dir, std::uint32_t epoch, Keys& keys);

}  // namespace invited
