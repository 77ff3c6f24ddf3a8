#include "restore_guard.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/failpoint.h"
#include "incarnation_file.h"

namespace invited {
namespace {

using domain::ErrorCode;
using domain::IncarnationNote;
using domain::refuse;
using domain::RestoreSign;
using domain::Result;
using domain::Transaction;

struct Marks {
  std::optional<domain::KeyBinding> binding;
  std::vector<domain::Incarnation> incarnations;
};

Result<Marks> read_marks(domain::Store& store) {
  return domain::read_returning(store, [](Transaction& transaction) -> Result<Marks> {
    return Marks{transaction.find_key_binding(), transaction.list_incarnations()};
  });
}

/// The complaint of main's own files as a domain error.
std::unexpected<domain::Error> unavailable(const std::string& complaint) {
  return refuse(ErrorCode::unavailable, complaint + ".");
}

constexpr std::string_view kRemedy =
    " If it came back from a backup or a copy, start it once with: invited serve --after-restore (or run: invited "
    "restore --after-restore). Every link that was mailed so far is dead then, mails that are owed are held until you "
    "let them go, and everybody is signed out.";

std::string describe(RestoreSign sign, const GuardedFolder& folder, const Marks& marks, const Keys& keys) {
  const std::string in = " in " + folder.state_dir.string();
  const std::string epochs = " (the keys are of epoch " + std::to_string(keys.token_keys.epoch) +
                             ", the database is of " + std::to_string(marks.binding ? marks.binding->epoch : 0) + ")";
  switch (sign) {
    case RestoreSign::none:
      return {};
    case RestoreSign::foreign_keys:
      return "The " + std::string(kKeyFileName) + in +
             " is not the one of this database: no environment could sign in with it. Put the one back that belongs "
             "to the database; a backup by invited backup holds both.";
    case RestoreSign::older_keys:
      return "The " + std::string(kKeyFileName) + in + " is older than the database" + epochs +
             ": links that are dead would work again. Put the newer one back; with several instances, copy it from the "
             "one that was told --after-restore." +
             std::string(kRemedy);
    case RestoreSign::older_database:
      return "The database" + in + " is older than what was served from this folder last" + epochs + "." +
             std::string(kRemedy);
    case RestoreSign::backup:
      return "The database" + in + " is a backup that invited backup made." + std::string(kRemedy);
    case RestoreSign::other_incarnation:
      return "The database" + in + " is not in the state in which it was served from this folder last." +
             std::string(kRemedy);
    case RestoreSign::other_folder:
      return "The database" + in + " was served from another folder: " + std::string(kIncarnationFileName) +
             " here does not know it. If you moved the service, bring the whole folder along, with that file." +
             std::string(kRemedy);
    case RestoreSign::restore_broken_off:
      return "A restore into " + folder.state_dir.string() +
             " was broken off: run the same invited restore --from … again.";
    case RestoreSign::restored:
      return "The database" + in + " was put there by invited restore." + std::string(kRemedy);
  }
  return {};
}

struct Judgement {
  Marks marks;
  std::optional<IncarnationNote> note;
  RestoreSign sign = RestoreSign::none;
};

Result<Judgement> judge_folder(const GuardedFolder& folder, domain::Store& store, const Keys& keys) {
  auto marks = read_marks(store);
  if (!marks) return std::unexpected(std::move(marks.error()));
  auto note = load_note(folder.state_dir);
  if (!note) return unavailable(note.error());
  const RestoreSign sign = domain::judge(marks->binding, marks->incarnations, marks_of(keys), *note, folder.exclusive);
  return Judgement{std::move(*marks), *note, sign};
}

/// Newer than any epoch that the database or the keys know, and than those of other restores of the same backup.
std::uint32_t next_epoch(const Marks& marks, const Keys& keys, base::Timestamp now) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
  const std::uint32_t known = std::max(keys.token_keys.epoch, marks.binding ? marks.binding->epoch : 0);
  return std::max(known + 1, static_cast<std::uint32_t>(std::clamp<long long>(seconds, 0, UINT32_MAX)));
}

Result<domain::AcceptedRestore> accept(const GuardedFolder& folder, const Marks& marks,
                                       const std::optional<IncarnationNote>& note, domain::Store& store, Keys& keys,
                                       base::Timestamp now) {
  // The keys first: killed after it, the start finds an older database and refuses it again.
  if (auto raised = set_epoch(folder.state_dir, next_epoch(marks, keys, now), keys); !raised)
    return unavailable(raised.error());
  base::failpoint("after_restore_keys");
  auto accepted = domain::write_returning(
      store,
      [&](Transaction& transaction) -> Result<domain::AcceptedRestore> {
        return domain::accept_restored_database(marks_of(keys), transaction, now);
      },
      domain::Urgency::owed);
  if (!accepted) return accepted;
  base::failpoint("after_restore_database");
  // Killed before it, the note counts for nothing, because it is of an earlier epoch than keys and database.
  const IncarnationNote fresh{.instance = note ? note->instance : base::Uuid::random(),
                              .epoch = keys.token_keys.epoch,
                              .shared = !folder.exclusive};
  if (auto saved = save_note(folder.state_dir, fresh); !saved) return unavailable(saved.error());
  return accepted;
}

}  // namespace

Result<void> refuse_file_of_shared(const GuardedFolder& folder) {
  const auto note = load_note(folder.state_dir);
  if (!folder.exclusive || !note || !*note || !(*note)->shared.value_or(false)) return {};
  return refuse(ErrorCode::unavailable,
                folder.state_dir.string() +
                    " belongs to an instance on PostgreSQL, and where its database is stands in its configuration: "
                    "name that file with --config. To serve the file invited.db in it again, as it was before the "
                    "move: remove " +
                    std::string(kIncarnationFileName) + ", then start it with --after-restore.");
}

Result<void> refuse_restored(const GuardedFolder& folder, domain::Store& store, const Keys& keys) {
  const auto judged = judge_folder(folder, store, keys);
  if (!judged) return std::unexpected(judged.error());
  if (judged->sign == RestoreSign::none) return {};
  return refuse(ErrorCode::unavailable, describe(judged->sign, folder, judged->marks, keys));
}

Result<std::optional<domain::AcceptedRestore>> answer_restore(const GuardedFolder& folder, AfterRestore said,
                                                              domain::Store& store, Keys& keys, base::Timestamp now) {
  if (said == AfterRestore::not_said) {
    if (auto judged = refuse_restored(folder, store, keys); !judged) return std::unexpected(std::move(judged.error()));
    return std::nullopt;
  }
  const auto marks = read_marks(store);
  if (!marks) return std::unexpected(marks.error());
  const auto note = load_note(folder.state_dir);
  const RestoreSign sign =
      note ? domain::judge(marks->binding, marks->incarnations, marks_of(keys), *note, folder.exclusive)
           : RestoreSign::other_incarnation;  // damaged: made anew
  // No flag mends these: files are missing or wrong.
  if (sign == RestoreSign::foreign_keys || sign == RestoreSign::restore_broken_off)
    return refuse(ErrorCode::unavailable, describe(sign, folder, *marks, keys));
  if (sign == RestoreSign::none && said == AfterRestore::if_restored) return std::nullopt;
  auto accepted = accept(folder, *marks, note.value_or(std::nullopt), store, keys, now);
  if (!accepted) return std::unexpected(std::move(accepted.error()));
  return *accepted;
}

Result<void> renew_incarnation(const GuardedFolder& folder, domain::Store& store, const Keys& keys,
                               base::Timestamp now) {
  const auto marks = read_marks(store);
  if (!marks) return std::unexpected(marks.error());
  const auto written = load_note(folder.state_dir);
  if (!written) return unavailable(written.error());
  auto note = domain::valid_note(*written, marks->binding, marks_of(keys));
  if (!note) note = IncarnationNote{.instance = base::Uuid::random()};
  const std::string instance = note->instance.to_string();
  note->epoch = keys.token_keys.epoch;
  note->shared = !folder.exclusive;
  note->current = {};
  for (const domain::Incarnation& incarnation : marks->incarnations)
    if (incarnation.instance == instance) note->current = incarnation.id;
  // A write whose outcome is not known may still come to be seen, so its id stays the next one until it is; forgotten
  // here, it would make the database another's.
  if (note->next.is_nil() || note->next == note->current) note->next = base::Uuid::random();
  if (auto saved = save_note(folder.state_dir, *note); !saved) return unavailable(saved.error());
  base::failpoint("incarnation_noted");

  auto stored = store.write(
      [&](Transaction& transaction) -> Result<void> {
        if (!transaction.find_key_binding()) {
          const domain::KeyMarks mine = marks_of(keys);
          transaction.set_key_binding({mine.digest, mine.epoch, std::nullopt});
        }
        transaction.set_incarnation({instance, note->next, now});
        return {};
      },
      domain::Urgency::owed);
  if (!stored) return stored;
  base::failpoint("incarnation_stored");

  // From now on the state before is an old one.
  note->current = std::exchange(note->next, {});
  if (auto saved = save_note(folder.state_dir, *note); !saved) return unavailable(saved.error());
  return {};
}

}  // namespace invited
