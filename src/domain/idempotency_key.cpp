#include "domain/idempotency_key.h"

#include <algorithm>

namespace invited::domain {
namespace {

constexpr std::size_t kMaxIdempotencyKey = 255;

}  // namespace

Result<void> check_idempotency_key(std::string_view key) {
  if (key.size() <= kMaxIdempotencyKey && std::ranges::all_of(key, [](char c) { return c >= 0x20 && c < 0x7F; }))
    return {};
  return refuse(ErrorCode::invalid_parameter,
                "The Idempotency-Key is there twice, is longer than 255 characters, or holds what is not ASCII.",
                "Idempotency-Key");
}

}  // namespace invited::domain
