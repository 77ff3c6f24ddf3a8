// The few cryptographic building blocks, each a thin name for libsodium's: random bytes, HMAC-SHA-256,
// SHA-256, BLAKE2b, base64, hex. Not for passwords of people (domain/password.h). Thread-safe.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace invited::base {

/// `size` bytes from the kernel's generator.
std::string random_bytes(std::size_t size);

/// [0, 1), for spreading retries.
double random_fraction();

/// HMAC-SHA-256 (RFC 2104, FIPS 198-1): 32 raw bytes. Any key length.
std::string hmac_sha256(std::string_view key, std::string_view message);
/// The same of a message in parts: a secret among them is not copied.
std::string hmac_sha256(std::string_view key, std::initializer_list<std::string_view> message);

/// HMAC-SHA-256 under a key that is used often: what depends on the key alone is computed once. Wiped at the end.
class HmacSha256Key {
 public:
  explicit HmacSha256Key(std::string_view key);
  ~HmacSha256Key();
  HmacSha256Key(const HmacSha256Key&) = delete;
  HmacSha256Key& operator=(const HmacSha256Key&) = delete;

  /// As hmac_sha256 of the key and the message. Thread-safe.
  std::string of(std::initializer_list<std::string_view> message) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// XSalsa20-Poly1305 with a random nonce in front: nobody without the 32-byte key reads it, or makes one.
std::string seal(std::string_view key, std::string_view message);
/// The inverse; nothing for what `seal` did not make under this key.
std::optional<std::string> open_sealed(std::string_view key, std::string_view sealed);

/// BLAKE2b (RFC 7693) with a result of 16 raw bytes, without a key: for telling much apart in little room, fast.
std::string blake2b_128(std::string_view message);

/// SHA-256: 32 raw bytes.
std::string sha256(std::string_view message);

/// SHA-256 of what comes in parts. Belongs to one thread.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void add(std::string_view part);
  /// 32 raw bytes; nothing may be added afterwards.
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// base64 with padding (RFC 4648 section 4).
std::string to_base64(std::string_view bytes);

/// base64url without padding (RFC 4648 section 5).
std::string to_base64url(std::string_view bytes);

/// The inverse; nothing for any character outside the alphabet, padding, or a non-canonical tail.
std::optional<std::string> from_base64url(std::string_view text);

/// What standard base64 with its padding encodes (RFC 4648 section 4); nothing for anything else.
std::optional<std::string> from_base64(std::string_view text);

/// Lower-case hexadecimal.
std::string to_hex(std::string_view bytes);

}  // namespace invited::base
