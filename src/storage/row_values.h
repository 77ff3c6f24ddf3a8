// Between the domain's values and what columns hold: UUIDs as text, points in time as milliseconds, enumerations as
// their words. What cannot be read back is damage, not a value: StorageFailure.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/uuid.h"
#include "domain/email_address.h"
#include "domain/store.h"
#include "storage/statement.h"

namespace invited::storage {

inline Number to_number(base::Timestamp time) { return time.time_since_epoch().count(); }
inline base::Timestamp to_time(Number number) { return base::Timestamp(base::Milliseconds(number)); }

inline void set(NullableNumber& column, const std::optional<base::Timestamp>& time) {
  if (time)
    column = to_number(*time);
  else
    column = std::nullopt;
}

inline std::optional<base::Timestamp> to_optional_time(const NullableNumber& column) {
  if (column.null) return std::nullopt;
  return to_time(column.value);
}

inline base::Uuid to_uuid(std::string_view text) {
  const auto uuid = base::Uuid::parse(text);
  if (!uuid) throw domain::StorageFailure("a stored UUID is damaged");
  return *uuid;
}

inline domain::EmailAddress to_email(std::string_view text) {
  auto address = domain::EmailAddress::parse(text);
  if (!address) throw domain::StorageFailure("a stored e-mail address is not one");
  return *std::move(address);
}

/// NULL stands for a nil UUID.
inline void set(NullableText& column, const base::Uuid& id) {
  if (id.is_nil())
    column = std::nullopt;
  else
    column = id.to_string();
}

inline base::Uuid to_uuid(const NullableText& column) { return column.null ? base::Uuid{} : to_uuid(column.value); }

/// UUIDs between blanks.
inline Text to_text(const std::vector<base::Uuid>& ids) {
  Text text;
  for (const base::Uuid& id : ids) text += (text.empty() ? "" : " ") + id.to_string();
  return text;
}

inline std::vector<base::Uuid> to_uuids(std::string_view text) {
  std::vector<base::Uuid> ids;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    ids.push_back(to_uuid(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return ids;
}

/// The value of one of the domain's parse functions.
template <class T>
T known_word(std::optional<T> parsed) {
  if (!parsed) throw domain::StorageFailure("a stored word is unknown to this program");
  return *std::move(parsed);
}

}  // namespace invited::storage
