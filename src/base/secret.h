// A secret text (password, key) that is wiped from memory when it dies and cannot be printed by mistake.
// Not for hashes and identifiers. A value; not shared between threads without the usual care.
#pragma once

#include <string>
#include <string_view>

namespace invited::base {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view value) : value_(value) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret();

  /// The bytes themselves. The name is long so that each use is seen in review.
  std::string_view reveal() const { return value_; }
  bool empty() const { return value_.empty(); }

 private:
  void wipe();
  std::string value_;
};

/// Wipes `text` and leaves it empty; for buffers that held a secret on its way in.
void wipe(std::string& text);
void wipe(std::u32string& text);

/// Compares without telling by its time where the first difference lies. Lengths are not secret.
bool constant_time_equal(std::string_view a, std::string_view b);

}  // namespace invited::base
