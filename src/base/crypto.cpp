#include "base/crypto.h"

#include <sodium.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <stdexcept>

namespace invited::base {
namespace {

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

void ensure_initialised() {
  static const bool ready = sodium_init() >= 0;
  if (!ready) throw std::runtime_error("libsodium cannot be initialised: the kernel gives no random bytes");
}

std::optional<std::string> decode(std::string_view text, int variant) {
  std::string bytes(text.size() / 4 * 3 + 3, '\0');
  std::size_t size = 0;
  const char* end = nullptr;
  if (sodium_base642bin(bytes_of(bytes), bytes.size(), text.data(), text.size(), nullptr, &size, &end, variant) != 0 ||
      end != text.data() + text.size())
    return std::nullopt;
  bytes.resize(size);
  return bytes;
}

std::string encode(std::string_view bytes, int variant) {
  std::string text(sodium_base64_encoded_len(bytes.size(), variant), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes_of(bytes), bytes.size(), variant);
  text.pop_back();  // libsodium counts the terminating NUL
  return text;
}

}  // namespace

std::string random_bytes(std::size_t size) {
  ensure_initialised();
  std::string bytes(size, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return bytes;
}

double random_fraction() {
  const std::string bytes = random_bytes(4);
  std::uint32_t number = 0;
  std::memcpy(&number, bytes.data(), sizeof number);
  return number / 4294967296.0;
}

std::string hmac_sha256(std::string_view key, std::string_view message) { return hmac_sha256(key, {message}); }

std::string hmac_sha256(std::string_view key, std::initializer_list<std::string_view> message) {
  return HmacSha256Key(key).of(message);
}

struct HmacSha256Key::State {
  crypto_auth_hmacsha256_state keyed;
};

HmacSha256Key::HmacSha256Key(std::string_view key) : state_(std::make_unique<State>()) {
  ensure_initialised();
  crypto_auth_hmacsha256_init(&state_->keyed, bytes_of(key), key.size());
}
HmacSha256Key::~HmacSha256Key() { sodium_memzero(state_.get(), sizeof *state_); }

std::string HmacSha256Key::of(std::initializer_list<std::string_view> message) const {
  std::string mac(crypto_auth_hmacsha256_BYTES, '\0');
  crypto_auth_hmacsha256_state state = state_->keyed;
  for (const std::string_view part : message) crypto_auth_hmacsha256_update(&state, bytes_of(part), part.size());
  crypto_auth_hmacsha256_final(&state, bytes_of(mac));
  sodium_memzero(&state, sizeof state);
  return mac;
}

std::string seal(std::string_view key, std::string_view message) {
  if (key.size() != crypto_secretbox_KEYBYTES) throw std::invalid_argument("a key of 32 bytes is needed");
  const std::string nonce = random_bytes(crypto_secretbox_NONCEBYTES);
  std::string box(message.size() + crypto_secretbox_MACBYTES, '\0');
  crypto_secretbox_easy(bytes_of(box), bytes_of(message), message.size(), bytes_of(nonce), bytes_of(key));
  return nonce + box;
}

std::optional<std::string> open_sealed(std::string_view key, std::string_view sealed) {
  if (key.size() != crypto_secretbox_KEYBYTES ||
      sealed.size() < crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES)
    return std::nullopt;
  const std::string_view box = sealed.substr(crypto_secretbox_NONCEBYTES);
  std::string message(box.size() - crypto_secretbox_MACBYTES, '\0');
  if (crypto_secretbox_open_easy(bytes_of(message), bytes_of(box), box.size(), bytes_of(sealed), bytes_of(key)) != 0)
    return std::nullopt;
  return message;
}

std::string sha256(std::string_view message) {
  std::string digest(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256(bytes_of(digest), bytes_of(message), message.size());
  return digest;
}

std::string blake2b_128(std::string_view message) {
  std::string digest(16, '\0');
  crypto_generichash(bytes_of(digest), digest.size(), bytes_of(message), message.size(), nullptr, 0);
  return digest;
}

struct Sha256::State {
  crypto_hash_sha256_state hash;
};

Sha256::Sha256() : state_(std::make_unique<State>()) { crypto_hash_sha256_init(&state_->hash); }
Sha256::~Sha256() = default;

void Sha256::add(std::string_view part) { crypto_hash_sha256_update(&state_->hash, bytes_of(part), part.size()); }

std::string Sha256::finish() {
  std::string digest(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256_final(&state_->hash, bytes_of(digest));
  return digest;
}

std::string to_base64(std::string_view bytes) { return encode(bytes, sodium_base64_VARIANT_ORIGINAL); }

std::string to_base64url(std::string_view bytes) { return encode(bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING); }

std::optional<std::string> from_base64url(std::string_view text) {
  return decode(text, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

std::optional<std::string> from_base64(std::string_view text) { return decode(text, sodium_base64_VARIANT_ORIGINAL); }

std::string to_hex(std::string_view bytes) {
  std::string text(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), bytes_of(bytes), bytes.size());
  text.pop_back();
  return text;
}

}  // namespace invited::base
