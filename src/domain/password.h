// People's passwords: the rules for a new one, and Argon2id hashing (19 MiB, t=2, p=1), at most two at once so that a
// flood of sign-ups costs bounded memory. Environments' issued passwords are not here (environment_authentication.h).
// Thread-safe; hash and verify block for some 20 ms and for their turn.
#pragma once

#include <semaphore>
#include <span>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "domain/error.h"

namespace invited::domain {

inline constexpr std::size_t kMinPasswordLength = 15;  ///< code points
inline constexpr std::size_t kMaxPasswordLength = 128;

/// The NFC of `password` where it may be used; else invalid_parameter "Password" with a reason for people. Rules: 15 to
/// 128 code points of valid UTF-8, not guessable (zxcvbn, with `related` as extra words: address, name, app's name),
/// not even without what is typed again or walks over the keyboard (domain/password_pattern.h). No composition rules.
/// ASVS 5.0 section 6.2, NIST SP 800-63B section 3.1.1.2.
Result<base::Secret> check_new_password(std::string_view password, std::span<const std::string> related);

/// Whether `password` may be somebody's at all: UTF-8, neither empty nor with a NUL, and its NFC not over-long.
/// Refusing costs next to nothing, however long the text is.
bool can_be_password(std::string_view password);

class PasswordHasher {
 public:
  /// libsodium's text form with parameters and salt.
  std::string hash(const base::Secret& password);

  struct Verification {
    bool correct = false;
    bool needs_rehash = false;  ///< correct, but made with other parameters than today's
  };
  /// An empty `stored` costs the same time and is never correct. `password` is made NFC first; what can be nobody's
  /// (can_be_password) is never correct and not hashed.
  Verification verify(std::string_view stored, std::string_view password);

 private:
  std::counting_semaphore<2> slots_{2};
};

}  // namespace invited::domain
