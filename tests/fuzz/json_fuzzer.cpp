// Whatever the bytes: as a body they are refused with a place inside of them, or give a value that is written and read
// again as the very same; as a query they are refused, or give an object.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "http/api/query_string.h"
#include "http/api/strict_json.h"

namespace {

using namespace invited::http;

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "violated: %s\n", what);
  std::abort();
}

void check_body(std::string_view text) {
  const auto value = parse_json(text);
  if (!value) {
    require(!value.error().message.empty(), "a refusal says why");
    require(value.error().offset <= text.size(), "a refusal's place is in the text");
    return;
  }
  const std::string written = value->dump();  // throws where a text is not UTF-8
  if (written.size() > kMaxJsonBody) return;  // numbers may be longer when written out
  const auto again = parse_json(written);
  require(again.has_value(), "what was read can be read again");
  require(again->dump() == written, "and is the same");
}

void check_query(std::string_view text) {
  const auto nested = parse_nested_query(text);
  if (!nested) return require(!nested.error().empty(), "a refusal says why");
  require(nested->is_object(), "a query is an object");
  require(!nested->dump().empty(), "of texts in UTF-8");
  require(parse_query(text).has_value(), "what can be nested is a list too");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_body(text);
  check_query(text);
  return 0;
}
