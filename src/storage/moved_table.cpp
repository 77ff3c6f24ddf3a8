#include "storage/moved_table.h"

#include <algorithm>
#include <cstring>

#include "base/crypto.h"
#include "base/failpoint.h"
#include "storage/statement.h"

namespace invited::storage {
namespace {

/// Rows that travel, and are committed, at once.
constexpr std::size_t kChunk = 1'000;

// SQLite's audit events have a number, PostgreSQL's an id that begins with the time, as all that grows there. It
// follows from time and number, so that a second run makes the same.
constexpr std::string_view kAuditId =
    "printf('%08x-%04x-7000-%04x-%012x', at >> 16, at & 65535, 32768 | ((seq >> 48) & 16383), seq & 281474976710655)";

/// The number in such an id; nothing where it is somebody else's.
std::string sequence_of_audit_id(std::string_view id) {
  if (id.size() != 36 || id.substr(14, 4) != "7000") return {};
  const auto high = std::stoull(std::string(id.substr(19, 4)), nullptr, 16) & 0x3fff;
  const auto low = std::stoull(std::string(id.substr(24)), nullptr, 16);
  return std::to_string(high << 48 | low);
}

Columns pointers_to(std::vector<NullableText>& row) {
  Columns columns;
  for (auto& value : row) columns.emplace_back(&value);
  return columns;
}

std::string joined(const std::vector<std::string>& parts, std::string_view between) {
  std::string text;
  for (const auto& part : parts) {
    if (!text.empty()) text += between;
    text += part;
  }
  return text;
}

/// One more element of a PostgreSQL array in its text form.
void append_element(Text& array, const NullableText& value) {
  array += array.empty() ? '{' : ',';
  if (value.null) {
    array += "NULL";
    return;
  }
  array += '"';
  for (const char c : value.value) {
    if (c == '"' || c == '\\') array += '\\';
    array += c;
  }
  array += '"';
}

}  // namespace

void RowSum::add(const std::vector<NullableText>& row) {
  std::string canonical;
  for (const auto& value : row) {
    if (value.null) {
      canonical += "-,";
    } else {
      canonical += std::to_string(value.value.size());
      canonical += ':';
      canonical += value.value;
      canonical += ',';
    }
  }
  const std::string hash = base::sha256(canonical);
  for (std::size_t i = 0; i < sum_.size(); ++i) {
    std::uint64_t part = 0;
    std::memcpy(&part, hash.data() + i * sizeof part, sizeof part);
    sum_[i] += part;
  }
  ++rows_;
}

std::string RowSum::digest() const {
  return base::to_hex(
      base::sha256(std::string_view(reinterpret_cast<const char*>(sum_.data()), sizeof sum_)).substr(0, 16));
}

const std::vector<MovedTable::Description>& MovedTable::all() {
  static const std::vector<Description> tables{
      {"app", {"id"}},
      {"role", {"app_id", "id"}},
      {"environment", {"id"}},
      {"role_alias", {"app_id", "dialect", "name"}},
      {"account", {"id"}},
      {"api_token", {"id"}},
      {"access", {"account_id", "environment_id", "role_id"}},
      {"profile_value", {"account_id", "field"}},
      {"session", {"token_hash"}},
      {"invitation", {"id"}},
      {"outbox_message", {"id"}},
      {"attempt", {"message_id", "number"}},
      {"mail_hold", {"singleton"}},
      {"refresh_call", {"id"}},
      {"refresh_attempt", {"call_id", "number"}},
      {"webhook", {"id"}},
      {"webhook_delivery", {"id"}},
      {"webhook_attempt", {"call_id", "number"}},
      {"expiry_watermark", {"singleton"}},
      {"rate", {"subject"}},
      {"idempotency_record", {"environment_id", "key"}},
      {"audit_event", {"id"}},
      {"key_binding", {"singleton"}},
      {"incarnation", {"instance"}},
  };
  return tables;
}

MovedTable::MovedTable(const Description& description, Connection& source, Connection& target)
    : description_(description), source_(source), target_(target) {
  Text table(description.name);
  Text name;
  Text type;
  std::vector<std::string> source_columns;
  Statement(source, "SELECT name FROM pragma_table_info(:table)", {{"table", table}}, {&name}).each([&] {
    source_columns.push_back(name);
  });
  const bool is_audit = description.name == "audit_event";
  Statement(target,
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = current_schema()"
            " AND table_name = :table ORDER BY ordinal_position",
            {{"table", table}}, {&name, &type})
      .each([&] {
        Column column{name, type, "CAST(" + name + " AS TEXT)"};
        if (name == "seq") has_sequence_ = true;
        if (is_audit && name == "id")
          column.source = kAuditId;
        else if (std::erase(source_columns, name) == 0)
          refuse("has the column " + name + " in PostgreSQL only");
        columns_.push_back(std::move(column));
      });
  std::erase(source_columns, "seq");     // the order of insertion, which the ids have too
  if (description.name == "invitation")  // of what other columns have (sqlite_digest.h)
    for (const std::string_view digest : {"mailbox_digest", "invitee_digest"}) std::erase(source_columns, digest);
  if (columns_.empty()) refuse("is not there in PostgreSQL");
  if (!source_columns.empty()) refuse("has the column " + source_columns.front() + " in SQLite only");
  row_.resize(columns_.size());
}

std::string MovedTable::select_source() const {
  std::vector<std::string> texts;
  texts.reserve(columns_.size());
  for (const auto& column : columns_) texts.push_back(column.source);
  return "SELECT " + joined(texts, ", ") + " FROM " + std::string(name());
}

std::string MovedTable::insert_sql() const {
  std::vector<std::string> names;
  std::vector<std::string> arrays;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    names.push_back(columns_[i].name);
    arrays.push_back("CAST(:values_" + std::to_string(i) + " AS " + columns_[i].type + "[])");
  }
  return "INSERT INTO " + std::string(name()) + " (" + joined(names, ", ") + ") SELECT * FROM unnest(" +
         joined(arrays, ", ") + ") ON CONFLICT DO NOTHING";
}

std::string MovedTable::key_of(const std::vector<NullableText>& row) const {
  std::vector<std::string> parts;
  for (const std::string_view part : description_.key)
    for (std::size_t i = 0; i < columns_.size(); ++i)
      if (columns_[i].name == part) parts.push_back(std::string(part) + " = " + row[i].value);
  return joined(parts, ", ");
}

void MovedTable::refuse(const std::string& what) const {
  throw MoveRefused("The table " + std::string(name()) + " " + what + ".");
}

std::uint64_t MovedTable::count_source() {
  Number count = 0;
  Statement(source_, "SELECT COUNT(*) FROM " + std::string(name()), {}, {&count}).find();
  return static_cast<std::uint64_t>(count);
}

bool MovedTable::is_target_empty() {
  Number one = 0;
  return !Statement(target_, "SELECT 1 FROM " + std::string(name()) + " LIMIT 1", {}, {&one}).find();
}

RowSum MovedTable::copy(const Progress& progress) {
  std::vector<Text> arrays(columns_.size());
  Parameters parameters;
  for (std::size_t i = 0; i < arrays.size(); ++i) parameters.emplace_back("values_" + std::to_string(i), arrays[i]);
  Statement insert(target_, insert_sql(), parameters);
  std::size_t waiting = 0;
  const auto send = [&] {
    if (waiting == 0) return;
    for (auto& array : arrays) array += '}';
    insert.run();
    base::failpoint("store_move_chunk");
    for (auto& array : arrays) array.clear();
    waiting = 0;
  };
  RowSum sum;
  Statement(source_, select_source(), {}, pointers_to(row_)).each([&] {
    sum.add(row_);
    for (std::size_t i = 0; i < row_.size(); ++i) {
      if (!row_[i].null && row_[i].value.find('\0') != std::string::npos)
        refuse("has a row that PostgreSQL cannot hold, a NUL character in " + columns_[i].name + ": " + key_of(row_));
      append_element(arrays[i], row_[i]);
    }
    if (++waiting < kChunk) return;
    send();
    progress(sum.rows());
  });
  send();
  progress(sum.rows());
  return sum;
}

void MovedTable::each_of_target(const std::function<void()>& row) {
  std::vector<std::string> names;
  names.reserve(columns_.size());
  for (const auto& column : columns_) names.push_back(column.name);
  const std::string cursor = "rows_of_" + std::string(name());
  Statement(target_, target_.begin_read_sql()).run();
  Statement(target_, "DECLARE " + cursor + " NO SCROLL CURSOR FOR SELECT " + joined(names, ", ") + " FROM " +
                         std::string(name()))
      .run();
  Statement fetch(target_, "FETCH " + std::to_string(kChunk) + " FROM " + cursor, {}, pointers_to(row_));
  for (std::size_t found = kChunk; found == kChunk;) {
    found = 0;
    fetch.each([&] {
      ++found;
      row();
    });
  }
  Statement(target_, "COMMIT").run();
}

RowSum MovedTable::sum_target(const Progress& progress) {
  RowSum sum;
  each_of_target([&] {
    sum.add(row_);
    if (sum.rows() % kChunk == 0) progress(sum.rows());
  });
  return sum;
}

void MovedTable::expect_only_rows_of_source(const Progress& progress) {
  std::vector<NullableText> found(columns_.size());
  std::vector<Text> key(description_.key.size());
  std::vector<std::string> conditions;
  Parameters parameters;
  const bool is_audit = description_.name == "audit_event";
  for (std::size_t i = 0; i < key.size(); ++i) {
    const std::string column = is_audit ? "seq" : std::string(description_.key[i]);
    conditions.push_back(column + " = :key_" + std::to_string(i));
    parameters.emplace_back("key_" + std::to_string(i), key[i]);
  }
  Statement look_up(source_, select_source() + " WHERE " + joined(conditions, " AND "), parameters, pointers_to(found));
  std::uint64_t rows = 0;
  each_of_target([&] {
    for (std::size_t i = 0; i < key.size(); ++i)
      for (std::size_t c = 0; c < columns_.size(); ++c)
        if (columns_[c].name == description_.key[i])
          key[i] = is_audit ? sequence_of_audit_id(row_[c].value) : row_[c].value;
    if (!look_up.find())
      refuse("has a row in PostgreSQL that is not in the SQLite file: " + key_of(row_) +
             ". Only an empty database, or one that an earlier run filled from the same file, can be moved into");
    for (std::size_t c = 0; c < columns_.size(); ++c)
      if (row_[c].null != found[c].null || (!row_[c].null && row_[c].value != found[c].value))
        refuse("has a row that differs in " + columns_[c].name + ": " + key_of(row_) +
               ". One of the two was changed after an earlier run: empty the PostgreSQL database and move again");
    if (++rows % kChunk == 0) progress(rows);
  });
}

void MovedTable::continue_sequence() {
  if (!has_sequence_) return;
  const std::string table(name());
  Number next = 0;
  Statement(
      target_,
      "SELECT setval(pg_get_serial_sequence('" + table + "', 'seq'), COALESCE(MAX(seq), 0) + 1, false) FROM " + table,
      {}, {&next})
      .find();
}

}  // namespace invited::storage
