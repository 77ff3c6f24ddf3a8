#include "storage/incarnation_statements.h"

#include "storage/row_values.h"

namespace invited::storage {

struct IncarnationStatements::Prepared {
  explicit Prepared(Connection& connection_in) : connection(connection_in) {}

  Connection& connection;
  Text key_digest;
  Number epoch = 0;
  NullableNumber restored_at;
  Text instance, id;
  Number since = 0;

  Statement find_binding{connection,
                         "SELECT key_digest, epoch, restored_at FROM key_binding WHERE singleton = 1",
                         {},
                         {&key_digest, &epoch, &restored_at}};
  Statement set_binding{connection,
                        "INSERT INTO key_binding (singleton, key_digest, epoch, restored_at)"
                        " VALUES (1, :key_digest, :epoch, :restored_at) ON CONFLICT (singleton) DO UPDATE SET"
                        " key_digest = excluded.key_digest, epoch = excluded.epoch,"
                        " restored_at = excluded.restored_at",
                        {{"key_digest", key_digest}, {"epoch", epoch}, {"restored_at", restored_at}}};
  Statement list{
      connection, "SELECT instance, id, since FROM incarnation ORDER BY instance", {}, {&instance, &id, &since}};
  Statement set{connection,
                "INSERT INTO incarnation (instance, id, since) VALUES (:instance, :id, :since)"
                " ON CONFLICT (instance) DO UPDATE SET id = excluded.id, since = excluded.since",
                {{"instance", instance}, {"id", id}, {"since", since}}};
  Statement erase{connection, "DELETE FROM incarnation"};
};

IncarnationStatements::IncarnationStatements(Connection& connection)
    : prepared_(std::make_unique<Prepared>(connection)) {}
IncarnationStatements::~IncarnationStatements() = default;

std::optional<domain::KeyBinding> IncarnationStatements::find_key_binding() {
  Prepared& row = *prepared_;
  if (!row.find_binding.find()) return std::nullopt;
  return domain::KeyBinding{row.key_digest, static_cast<std::uint32_t>(row.epoch), to_optional_time(row.restored_at)};
}

void IncarnationStatements::set_key_binding(const domain::KeyBinding& binding) {
  Prepared& row = *prepared_;
  row.key_digest = binding.key_digest;
  row.epoch = binding.epoch;
  storage::set(row.restored_at, binding.restored_at);
  row.set_binding.run();
}

std::vector<domain::Incarnation> IncarnationStatements::list_incarnations() {
  Prepared& row = *prepared_;
  std::vector<domain::Incarnation> incarnations;
  row.list.each([&] { incarnations.push_back({row.instance, to_uuid(row.id), to_time(row.since)}); });
  return incarnations;
}

void IncarnationStatements::set_incarnation(const domain::Incarnation& incarnation) {
  Prepared& row = *prepared_;
  row.instance = incarnation.instance;
  row.id = incarnation.id.to_string();
  row.since = to_number(incarnation.since);
  row.set.run();
}

void IncarnationStatements::erase_incarnations() { prepared_->erase.run(); }

}  // namespace invited::storage
