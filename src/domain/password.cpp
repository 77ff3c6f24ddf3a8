#include "domain/password.h"

#include <sodium.h>
#include <zxcvbn.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <vector>

#include "base/utf8.h"
#include "domain/password_pattern.h"

namespace invited::domain {
namespace {

constexpr unsigned long long kOperations = 2;
constexpr std::size_t kMemory = 19 * 1024 * 1024;
/// log2 of the guesses; zxcvbn's "safely unguessable" begins at 10^10.
constexpr double kMinEntropyBits = 30;
/// zxcvbn's work grows faster than the text; nothing beyond this makes a guessable text strong.
constexpr std::size_t kMaxJudgedBytes = 64;
constexpr std::size_t kMinWord = 3;
/// Nothing longer has an NFC of kMaxPasswordLength: decomposed, a code point is four of up to four bytes at most.
constexpr std::size_t kMaxPasswordBytes = kMaxPasswordLength * 4 * 4;
/// What must remain when all words that stand beside the form are taken out.
constexpr std::size_t kMinOwnCharacters = 6;

std::unexpected<Error> refuse_password(std::string_view why) {
  return refuse(ErrorCode::invalid_parameter, std::string(why), "Password");
}

/// The related texts and the words in them, folded; the longest first, so that the whole is taken out before its parts.
std::vector<std::string> words_of(std::span<const std::string> related) {
  std::vector<std::string> words;
  for (const std::string& text : related) {
    const std::string folded = base::fold_case(text);
    if (folded.size() >= kMinWord) words.push_back(folded);
    std::string word;
    for (const char c : folded + ' ') {
      const auto byte = static_cast<unsigned char>(c);
      if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || byte >= 0x80) {
        word += c;
      } else {
        if (word.size() >= kMinWord && word != folded) words.push_back(word);
        word.clear();
      }
    }
  }
  std::sort(words.begin(), words.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
  return words;
}

std::string without(std::string text, std::span<const std::string> words) {
  for (const std::string& word : words)
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at)) text.erase(at, word.size());
  return text;
}

double entropy_bits(std::string_view password, std::span<const std::string> words) {
  std::vector<const char*> dictionary;
  for (const std::string& word : words) dictionary.push_back(word.c_str());
  dictionary.push_back(nullptr);
  std::string judged(password.substr(0, kMaxJudgedBytes));
  const double bits = ZxcvbnMatch(judged.c_str(), dictionary.data(), nullptr);
  base::wipe(judged);
  return bits;
}

base::Secret nfc_of(std::string_view password) {
  std::string normal = base::to_nfc(password);
  base::Secret secret(normal);
  base::wipe(normal);
  return secret;
}

/// What is hashed, where `password` may be used at all; its least length is not looked at.
Result<base::Secret> normal_form(std::string_view password) {
  constexpr std::string_view kTooLong = "Use a password of at most 128 characters.";
  if (password.size() > kMaxPasswordBytes) return refuse_password(kTooLong);
  if (!base::is_valid_utf8(password) || password.find('\0') != std::string_view::npos)
    return refuse_password("This password holds characters that cannot be used. Choose another one.");
  base::Secret normal = nfc_of(password);
  // Counted as when it was chosen: decomposed it has more code points.
  if (base::count_code_points(normal.reveal()) > kMaxPasswordLength) return refuse_password(kTooLong);
  return normal;
}

}  // namespace

Result<base::Secret> check_new_password(std::string_view password, std::span<const std::string> related) {
  const auto normal = normal_form(password);
  if (!normal) return normal;
  const base::Secret& secret = *normal;
  if (base::count_code_points(secret.reveal()) < kMinPasswordLength)
    return refuse_password("Use a password of at least 15 characters.");

  const std::vector<std::string> words = words_of(related);
  std::string own = without(base::fold_case(secret.reveal()), words);
  const std::size_t own_length = base::count_code_points(own);
  base::wipe(own);
  if (own_length < kMinOwnCharacters)
    return refuse_password("This password is made of your name, your address or the app's name. Choose another one.");
  const base::Secret unforeseen = without_patterns(secret);
  if (entropy_bits(secret.reveal(), words) < kMinEntropyBits ||
      entropy_bits(unforeseen.reveal(), words) < kMinEntropyBits)
    return refuse_password("This password is too easy to guess. Use several words that do not belong together.");
  return secret;
}

bool can_be_password(std::string_view password) { return !password.empty() && normal_form(password).has_value(); }

std::string PasswordHasher::hash(const base::Secret& password) {
  // NFC, as verify() does: a better hash of a password that was typed decomposed must not shut its owner out.
  const base::Secret normal = base::is_valid_utf8(password.reveal()) ? nfc_of(password.reveal()) : base::Secret();
  const std::string_view bytes = normal.empty() ? password.reveal() : normal.reveal();
  std::array<char, crypto_pwhash_STRBYTES> text{};
  slots_.acquire();
  const int status = crypto_pwhash_str(text.data(), bytes.data(), bytes.size(), kOperations, kMemory);
  slots_.release();
  if (status != 0) throw std::runtime_error("hashing a password failed: out of memory");
  return text.data();
}

PasswordHasher::Verification PasswordHasher::verify(std::string_view stored, std::string_view password) {
  if (password.empty()) return {};
  const auto normal = normal_form(password);
  if (!normal) return {};
  // Where there is no hash, the work is done against one that nobody knows the password of.
  static const std::string kNobody = [this] { return hash(base::Secret("nobody")); }();
  const std::string reference = stored.empty() ? kNobody : std::string(stored);
  const std::string_view bytes = normal->reveal();
  slots_.acquire();
  const bool matches = crypto_pwhash_str_verify(reference.c_str(), bytes.data(), bytes.size()) == 0;
  slots_.release();
  if (!matches || stored.empty()) return {};
  return {true, crypto_pwhash_str_needs_rehash(reference.c_str(), kOperations, kMemory) != 0};
}

}  // namespace invited::domain
