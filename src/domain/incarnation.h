// Whether a database is the one that a state folder served last, or one that came back from a backup: then links that
// were mailed since, or before, must not work any more, and mails that were owed may have been sent. What the database
// says of itself (Transaction) is compared with the keys and with a note in the folder, beside the database, by a pure
// function. Values; thread-safe. The note's file is main's (incarnation_file.h), accepting a restored database is
// accept_restored_database.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/uuid.h"

namespace invited::domain {

/// Which keys a database belongs to, and the epoch of its links.
struct KeyBinding {
  std::string key_digest;
  std::uint32_t epoch = 1;
  std::optional<base::Timestamp> restored_at;  ///< when a restored database was last accepted
};

/// The random id under which a state folder serves the database. Renewed with every start and every minute: a copy of
/// the database holds one that is no longer the folder's.
struct Incarnation {
  std::string instance;  ///< the folder's own UUID, or kBackupInstance
  base::Uuid id;
  base::Timestamp since;
};

/// The instance of a copy that `invited backup` made.
inline constexpr std::string_view kBackupInstance = "backup";

/// How far `invited restore` got.
enum class RestoreProgress {
  none,
  under_way,  ///< files are being put into the folder
  waits,      ///< they are all there; --after-restore is still to be said
};

/// What the folder knows, outside of the database. It is written before the database is: a kill between the two leaves
/// a database whose id is still `current`, a later one leaves `next`. No id is given up for another while the database
/// may still take it on.
struct IncarnationNote {
  base::Uuid instance;
  std::uint32_t epoch = 1;  ///< of the links, when it was written
  base::Uuid current{};     ///< nil: the database had none
  base::Uuid next{};        ///< nil: no renewal is under way
  RestoreProgress restore = RestoreProgress::none;
  std::optional<bool> shared{};  ///< whether the database is one that several instances share; notes of old: not said
};

/// Why a database must not be served as it is.
enum class RestoreSign {
  none,                ///< it may
  foreign_keys,        ///< the keys are those of another database
  older_keys,          ///< the keys are of an earlier epoch than the database
  older_database,      ///< the database is of an earlier epoch than the keys, or of before there were any
  backup,              ///< it is a copy made by `invited backup`
  other_incarnation,   ///< this folder has served a newer state
  other_folder,        ///< another folder has served it
  restore_broken_off,  ///< `invited restore` did not come to its end
  restored,            ///< `invited restore` put it there
};

struct KeyMarks {
  std::string digest;
  std::uint32_t epoch = 1;
};

/// `exclusive`: only one folder ever serves the database (SQLite). Else a folder without a note may join the others.
RestoreSign judge(const std::optional<KeyBinding>& binding, std::span<const Incarnation> incarnations,
                  const KeyMarks& keys, const std::optional<IncarnationNote>& note, bool exclusive);

/// What of the note still counts: nothing where a restored database was accepted since, by another folder that serves
/// it or just before this one was killed.
std::optional<IncarnationNote> valid_note(const std::optional<IncarnationNote>& note,
                                          const std::optional<KeyBinding>& binding, const KeyMarks& keys);

}  // namespace invited::domain
