// Writing text into XML and HTML: the one place that escapes. And XML for people to read. Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace invited::soap {

/// `text` as character data or attribute value: markup characters and carriage returns become references, so that the
/// reader gets exactly `text`. What XML 1.0 cannot hold (controls, bytes that are not UTF-8) becomes U+FFFD.
std::string escape_xml(std::string_view text);

/// The document `xml` (well-formed, without mixed content) with each element on a line of its own, for people to read.
/// Throws std::logic_error where it is not well-formed.
std::string indent_xml(std::string_view xml);

}  // namespace invited::soap
