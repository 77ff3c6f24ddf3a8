// The gate in front of gSOAP (design.md, decision 2): takes the bytes of a call, refuses what is dangerous or
// ambiguous, tolerates what real clients send, and writes a clean canonical envelope; gSOAP sees nothing else. Not for
// the meaning of values: they pass unchanged, blanks included, and absent or nil ones pass as empty; the domain judges
// them. Every body costs time linear in its size, at most 5 ms for 64 KiB. Pure function; thread-safe.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "soap/fault.h"
#include "soap/message.h"
#include "soap/service_description.h"

namespace invited::soap {

/// promises.md, "Limits". More is refused before anything looks at it.
inline constexpr std::size_t kBodyLimit = 64 * 1024;

struct AcceptedCall {
  const OperationDescription* operation = nullptr;  ///< of the service given to pass_gate
  SoapVersion version = SoapVersion::v1_1;          ///< of the Envelope; the answer has the same
  std::vector<std::string> values;                  ///< one for each of the operation's parameters, in their order
  std::string envelope;                             ///< canonical: children unqualified, in order, each once

  /// Empty for a name that the operation does not have.
  std::string_view value(std::string_view parameter) const;
};

/// A parameter may come under its alias; under both names it is repeated.
/// A refusal is a fault with code malformed_request, and status
/// - 413 for more than kBodyLimit, 415 for another Content-Type or charset;
/// - 400 for what is not well-formed, or forbidden, or not one operation in one Body of one Envelope;
/// - that of a sender fault (500 in SOAP 1.1) for an unknown operation, unknown or repeated parameters, and headers
///   that must be understood (MustUnderstand) or an Envelope of another SOAP version (VersionMismatch).
std::expected<AcceptedCall, Fault> pass_gate(std::string_view content_type, std::string_view body,
                                             const ServiceDescription& service);

}  // namespace invited::soap
