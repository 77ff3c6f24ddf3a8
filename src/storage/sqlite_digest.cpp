#include "storage/sqlite_digest.h"

#include <sqlite3.h>

#include <exception>
#include <string>

#include "base/crypto.h"
#include "storage/sqlite_failure.h"

namespace invited::storage {
namespace {

void digest(sqlite3_context* context, int count, sqlite3_value** values) try {
  std::string all;
  for (int i = 1; i < count; ++i) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(values[i]));
    if (text == nullptr) return sqlite3_result_null(context);
    all.append(text, static_cast<std::size_t>(sqlite3_value_bytes(values[i]))) += '\0';
  }
  const std::string hash = base::blake2b_128(all);
  const int size = count == 0 ? 0 : sqlite3_value_int(values[0]);
  if (size < 1 || size > static_cast<int>(hash.size()))
    return sqlite3_result_error(context, "digest(size, text, ...) has 1 to 16 bytes", -1);
  sqlite3_result_blob(context, hash.data(), size, SQLITE_TRANSIENT);
} catch (const std::exception&) {
  sqlite3_result_error_nomem(context);
}

}  // namespace

void add_digest_function(void* connection) {
  auto* const handle = static_cast<sqlite3*>(connection);
  const int code = sqlite3_create_function_v2(handle, "digest", -1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, nullptr,
                                              &digest, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) throw DatabaseFailure(failure_kind_of(code), sqlite3_errmsg(handle));
}

}  // namespace invited::storage
