// The second lock on names: what stands in a mail's text and headers as the name of a person, app or role was checked
// when it came in (domain/person_name.h); here whatever might still inject a header, reorder text or become a link in a
// mail program is taken out before it is printed. Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace invited::mail {

/// One line: hidden characters go, any white space becomes one blank, bytes that are not UTF-8 become '?'.
std::string visible_line(std::string_view text);

/// One line of at most 128 code points without hidden characters; "://", "www.", "name.tld" and '@' come out so that no
/// mail program links them. Ordinary names ("J. van Dijk", "O'Neil", "漢字", "Release 2.0") are not changed.
std::string guard_name(std::string_view name);

/// One printable ASCII line of at most 300 bytes for logs and listings, of what a relay or the system said.
std::string one_line(std::string_view text);

}  // namespace invited::mail
