// What may stand as a name of a person, app or role in a mail or a page: checked once, where it comes in, so that
// nobody can use a name to send advertising (promises.md, "Addresses and names"). Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "domain/error.h"

namespace invited::domain {

inline constexpr std::size_t kMaxNameLength = 128;  ///< code points

/// Trimmed and NFC, with a blank after the dots of abbreviations where it is missing ("Dr.Müller", "J.R.R.Tolkien"), so
/// that no mail program links them. Refuses (invalid_parameter naming `parameter`) what is empty, over 128 code points,
/// holds control, bidi or line separator characters, joiners where nobody sees them, or anything that a mail program
/// turns into a link: "://", "www.", a host-like word ("name.tld"), an '@'. "J. van Dijk", "Dr. Smith", "O'Neil",
/// "漢字" are names.
Result<std::string> parse_name(std::string_view text, std::string_view parameter);

}  // namespace invited::domain
