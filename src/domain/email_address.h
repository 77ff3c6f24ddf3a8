// An e-mail address that has been parsed: the only way to get one is `parse`, so that whoever holds one need not
// check again. One parser for all (promises.md, "Addresses and names"). A value; thread-safe.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace invited::domain {

class EmailAddress {
 public:
  /// `local@domain`: dot-atom local part (RFC 5321 section 4.1.2) of at most 64 octets, ASCII only (the relay need
  /// not speak SMTPUTF8); domain of at least two labels, made A-labels by UTS 46; 254 octets at most. Nothing for
  /// quoted local parts, comments, address literals, a leading '-', control characters, lists, angle brackets.
  /// Blanks, tabs and line ends at either end are *not* taken off: they are refused.
  static std::optional<EmailAddress> parse(std::string_view text);

  /// As given, but the domain as A-label in lower case: what mail is sent to.
  const std::string& text() const { return text_; }
  /// Lower-case: the one key by which a person is found. Letter case never makes a second person.
  const std::string& key() const { return key_; }
  /// Like `key`, with a +tag and the local part's dots taken off: only for the limit on mail to one mailbox.
  std::string mailbox() const;

  bool operator==(const EmailAddress& other) const { return key_ == other.key_; }

 private:
  EmailAddress(std::string text, std::string key) : text_(std::move(text)), key_(std::move(key)) {}
  std::string text_;
  std::string key_;
};

}  // namespace invited::domain
