// Faults: the one mapping from what went wrong to what a SOAP caller sees. faultstring is one sentence for people;
// detail holds one element in our own namespace with a stable code, so that programs need not read English:
//   <f:Fault xmlns:f="urn:invited:faults:1"><f:Code>…</f:Code>[<f:Parameter>…][<f:RetryAfterSeconds>…]</f:Fault>
// Pure functions; thread-safe.
#pragma once

#include <string_view>

#include "domain/error.h"
#include "soap/message.h"

namespace invited::soap {

inline constexpr std::string_view kFaultNamespace = "urn:invited:faults:1";

/// SOAP 1.1: Client, Server, MustUnderstand, VersionMismatch. SOAP 1.2 says Sender and Receiver.
enum class FaultCode { sender, receiver, must_understand, version_mismatch };

/// A fault on its way out.
struct Fault {
  FaultCode code = FaultCode::receiver;
  int status = 500;  ///< of HTTP
  SoapVersion version = SoapVersion::v1_1;
  domain::Error error;
};

/// What the contract says of an error: sender for what the caller can change, receiver for ours. Status: 400 for
/// malformed_request; otherwise in SOAP 1.1 always 500 (never 503, some callers retry that by themselves), in SOAP 1.2
/// 400 for sender, 500 for receiver.
Fault to_fault(domain::Error error, SoapVersion version);

/// The bytes. Texts are escaped; only the namespaces in use are declared. retry_after is also a Retry-After header.
SoapAnswer to_answer(const Fault& fault);

/// For the page for people. Empty texts: not a fault that a SOAP caller can meet.
struct FaultDescription {
  FaultCode code;
  std::string_view meaning;
  std::string_view remedy;
};
FaultDescription describe(domain::ErrorCode code);

}  // namespace invited::soap
