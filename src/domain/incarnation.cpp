#include "domain/incarnation.h"

#include <algorithm>

namespace invited::domain {

std::optional<IncarnationNote> valid_note(const std::optional<IncarnationNote>& note,
                                          const std::optional<KeyBinding>& binding, const KeyMarks& keys) {
  if (note && binding && binding->epoch > note->epoch && binding->epoch == keys.epoch) return std::nullopt;
  return note;
}

RestoreSign judge(const std::optional<KeyBinding>& binding, std::span<const Incarnation> incarnations,
                  const KeyMarks& keys, const std::optional<IncarnationNote>& written, bool exclusive) {
  const auto note = valid_note(written, binding, keys);
  if (note && note->restore == RestoreProgress::under_way) return RestoreSign::restore_broken_off;
  if (binding && binding->key_digest != keys.digest) return RestoreSign::foreign_keys;
  if (note && note->restore == RestoreProgress::waits) return RestoreSign::restored;
  const auto is_backup = [](const Incarnation& incarnation) { return incarnation.instance == kBackupInstance; };
  if (std::ranges::any_of(incarnations, is_backup)) return RestoreSign::backup;
  if (binding && keys.epoch < binding->epoch) return RestoreSign::older_keys;
  if (binding && keys.epoch > binding->epoch) return RestoreSign::older_database;
  if (!binding && note && !note->current.is_nil()) return RestoreSign::older_database;
  if (!note) return exclusive && !incarnations.empty() ? RestoreSign::other_folder : RestoreSign::none;

  base::Uuid found;
  for (const Incarnation& incarnation : incarnations) {
    if (incarnation.instance == note->instance.to_string())
      found = incarnation.id;
    else if (exclusive)
      return RestoreSign::other_folder;
  }
  const bool is_current = found == note->current;
  const bool is_next = !note->next.is_nil() && found == note->next;
  return is_current || is_next ? RestoreSign::none : RestoreSign::other_incarnation;
}

}  // namespace invited::domain
