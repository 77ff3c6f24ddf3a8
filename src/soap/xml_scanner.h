// Is this text XML that we are willing to parse? A strict, single, linear pass over the raw bytes, before any parser
// sees them: well-formed XML 1.0 in UTF-8, without DTD, processing instructions or own entities, within small limits.
// Not a parser: it builds nothing and knows nothing of namespaces or SOAP (gate.h does). No recursion, no allocation.
// Thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace invited::soap {

/// promises.md, "Limits".
struct XmlLimits {
  static constexpr std::size_t kDepth = 16;
  static constexpr std::size_t kElements = 128;
  static constexpr std::size_t kAttributes = 16;  ///< of one element, namespace declarations included
  static constexpr std::size_t kNameBytes = 255;
  static constexpr std::size_t kValueBytes = 1024;  ///< of an attribute or a parameter, with references resolved
};

/// Nothing where `text` (without byte order mark) may be parsed, otherwise what is wrong with it, as the end of the
/// sentence "The request …". Beyond well-formedness it refuses mixed content and comments inside a value, since these
/// are how one reader is made to see another value than the next; and the character U+007F.
std::optional<std::string_view> find_xml_problem(std::string_view text);

}  // namespace invited::soap
