#include "soap/fault.h"

#include <string>
#include <utility>

#include "soap/xml_text.h"

namespace invited::soap {
namespace {

std::string_view code_text(FaultCode code, SoapVersion version) {
  const bool v1_1 = version == SoapVersion::v1_1;
  switch (code) {
    case FaultCode::sender:
      return v1_1 ? "Client" : "Sender";
    case FaultCode::receiver:
      return v1_1 ? "Server" : "Receiver";
    case FaultCode::must_understand:
      return "MustUnderstand";
    case FaultCode::version_mismatch:
      return "VersionMismatch";
  }
  return v1_1 ? "Server" : "Receiver";
}

std::string element(std::string_view name, std::string_view text) {
  std::string xml;
  xml.append("<").append(name).append(">").append(escape_xml(text)).append("</").append(name).append(">");
  return xml;
}

std::string detail(const domain::Error& error) {
  std::string xml = "<f:Fault xmlns:f=\"" + std::string(kFaultNamespace) + "\">";
  xml += element("f:Code", domain::to_string(error.code));
  if (!error.parameter.empty()) xml += element("f:Parameter", error.parameter);
  if (error.retry_after) xml += element("f:RetryAfterSeconds", std::to_string(error.retry_after->count()));
  return xml + "</f:Fault>";
}

}  // namespace

FaultDescription describe(domain::ErrorCode code) {
  switch (code) {
    case domain::ErrorCode::malformed_request:
      return {FaultCode::sender,
              "The request is not a call that this service understands; nothing in it was looked at.",
              "Mend the program that sends it: import the WSDL again, and compare with the sample request."};
    case domain::ErrorCode::authentication_failed:
      return {
          FaultCode::sender, "The environment is unknown or disabled, or its password is wrong.",
          "Check EnvironmentUUID and EnvironmentPassword. The password is not the UUID; it was printed once when the "
          "environment was made, and can be made anew."};
    case domain::ErrorCode::missing_parameter:
      return {FaultCode::sender, "A parameter is absent or blank; the fault names it.", "Fill it in."};
    case domain::ErrorCode::invalid_email_address:
      return {FaultCode::sender, "A parameter is not an email address that mail can be sent to; the fault names it.",
              "Correct the address."};
    case domain::ErrorCode::invalid_parameter:
      return {FaultCode::sender, "A parameter has a value that it may not have; the fault names it.",
              "Correct the value."};
    case domain::ErrorCode::inviter_without_access:
      return {FaultCode::sender, "The person who invites has no access to this environment's app.",
              "Let somebody with access invite, or give the inviter access first."};
    case domain::ErrorCode::unknown_role:
      return {FaultCode::sender, "The role is not one of this environment's app.",
              "Use the UUID of one of the app's roles; after the app's model changed, import its roles again."};
    case domain::ErrorCode::role_not_allowed:
      return {FaultCode::sender,
              "The person who invites may not grant that role, or one that the invitee is invited to already: none of "
              "their own roles manages it.",
              "Let somebody invite whose role manages the one that is granted, or change the app's model."};
    case domain::ErrorCode::unknown_person:
      return {
          FaultCode::sender, "Nobody with that OpenID has access to this environment, or nobody ever could have it.",
          "Ask for people only who have a role in the app; check the environment's OpenID template, and whether the "
          "public URL, which it may hold, was changed."};
    case domain::ErrorCode::idempotency_mismatch:
      return {FaultCode::sender, "The Idempotency-Key header was used before, for a different call.",
              "Use a new key for each different call."};
    case domain::ErrorCode::rate_limited:
      return {FaultCode::sender, "Too many calls in a short time; nothing was stored.",
              "Wait as many seconds as RetryAfterSeconds in the fault says, then call again."};
    case domain::ErrorCode::unavailable:
      return {FaultCode::receiver, "The service is busy, short of disk, or about to stop; nothing was stored.",
              "Call again a little later."};
    case domain::ErrorCode::outcome_unknown:
      return {FaultCode::receiver, "The service cannot tell whether the invitation was stored.",
              "Call again: that is safe, the same call again does not invite twice."};
    case domain::ErrorCode::not_allowed:
    case domain::ErrorCode::precondition_failed:
    case domain::ErrorCode::link_not_valid:
    case domain::ErrorCode::sign_in_failed:
    case domain::ErrorCode::already_exists:
    case domain::ErrorCode::not_found:
      return {FaultCode::sender, {}, {}};  // of pages and commands, not of calls
  }
  return {FaultCode::receiver, {}, {}};
}

Fault to_fault(domain::Error error, SoapVersion version) {
  Fault fault;
  fault.code = describe(error.code).code;
  fault.version = version;
  if (error.code == domain::ErrorCode::malformed_request ||
      (version == SoapVersion::v1_2 && fault.code == FaultCode::sender))
    fault.status = 400;
  fault.error = std::move(error);
  return fault;
}

SoapAnswer to_answer(const Fault& fault) {
  const std::string_view message =
      fault.error.message.empty() ? describe(fault.error.code).meaning : std::string_view(fault.error.message);
  const std::string code = "SOAP-ENV:" + std::string(code_text(fault.code, fault.version));
  std::string body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"" +
                     std::string(envelope_namespace(fault.version)) + "\"><SOAP-ENV:Body><SOAP-ENV:Fault>";
  if (fault.version == SoapVersion::v1_1) {
    body += element("faultcode", code) + element("faultstring", message);
    body += "<detail>" + detail(fault.error) + "</detail>";
  } else {
    body += "<SOAP-ENV:Code>" + element("SOAP-ENV:Value", code) + "</SOAP-ENV:Code>";
    body +=
        "<SOAP-ENV:Reason><SOAP-ENV:Text xml:lang=\"en\">" + escape_xml(message) + "</SOAP-ENV:Text></SOAP-ENV:Reason>";
    body += "<SOAP-ENV:Detail>" + detail(fault.error) + "</SOAP-ENV:Detail>";
  }
  body += "</SOAP-ENV:Fault></SOAP-ENV:Body></SOAP-ENV:Envelope>\n";

  SoapAnswer answer{fault.status, std::string(media_type(fault.version)), std::move(body), {}};
  if (fault.error.retry_after)
    answer.headers.emplace_back("Retry-After", std::to_string(fault.error.retry_after->count()));
  return answer;
}

}  // namespace invited::soap
