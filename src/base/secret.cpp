#include "base/secret.h"

#include <sodium.h>

#include <utility>

namespace invited::base {

Secret::Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { other.wipe(); }

Secret& Secret::operator=(const Secret& other) {
  if (this != &other) {
    wipe();
    value_ = other.value_;
  }
  return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    value_ = std::move(other.value_);
    other.wipe();
  }
  return *this;
}

Secret::~Secret() { wipe(); }

void Secret::wipe() { base::wipe(value_); }

namespace {
template <typename Text>
void wipe_text(Text& text) {
  // The whole capacity: a short string keeps its old bytes beyond its size.
  text.resize(text.capacity());
  sodium_memzero(text.data(), text.size() * sizeof text[0]);
  text.clear();
}
}  // namespace

void wipe(std::string& text) { wipe_text(text); }

void wipe(std::u32string& text) { wipe_text(text); }

bool constant_time_equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace invited::base
