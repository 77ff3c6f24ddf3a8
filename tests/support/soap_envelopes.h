// Requests for tests of the SOAP side: the pieces of a SendInvite, to be put together well or badly.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace invited::test {

inline constexpr std::string_view kSoap11 = "http://schemas.xmlsoap.org/soap/envelope/";
inline constexpr std::string_view kSoap12 = "http://www.w3.org/2003/05/soap-envelope";
inline constexpr std::string_view kTarget = "http://www.example.com/";
inline constexpr std::string_view kTextXml = "text/xml; charset=utf-8";
inline constexpr std::string_view kSoapXml = "application/soap+xml; charset=utf-8";

/// The values of one call, in the contract's order.
struct InviteValues {
  std::string environment_uuid = "0e4f0b7a-7a3b-4a52-9f0e-7c1f1a5d2b11";
  std::string environment_password = "a password";
  std::string role_uuid = "8d1a6a5e-54c5-4a0e-9f64-9d3c1f5b0a77";
  std::string invitee = "invitee@example.org";
  std::string inviter = "inviter@example.org";

  /// The children of the wrapper, unqualified. Values are written as they are: escape them, or do not.
  std::vector<std::pair<std::string, std::string>> children() const {
    return {{"EnvironmentUUID", environment_uuid},
            {"EnvironmentPassword", environment_password},
            {"RoleUUID", role_uuid},
            {"InviteeEmailAddress", invitee},
            {"InviterEmailAddress", inviter}};
  }
};

inline std::string element(std::string_view name, std::string_view content) {
  const std::string local(name.substr(0, name.find(' ')));
  return "<" + std::string(name) + ">" + std::string(content) + "</" + local + ">";
}

/// A call of any operation; values are written as they are.
inline std::string wrapped(std::string_view operation,
                           const std::vector<std::pair<std::string, std::string>>& children) {
  std::string xml = "<t:" + std::string(operation) + " xmlns:t=\"" + std::string(kTarget) + "\">";
  for (const auto& [name, value] : children) xml += element(name, value);
  return xml + "</t:" + std::string(operation) + ">";
}

inline std::string children_xml(const InviteValues& values) {
  std::string xml;
  for (const auto& [name, value] : values.children()) xml += element(name, value);
  return xml;
}

/// A SendInvite wrapper around `children`.
inline std::string send_invite(std::string_view children) {
  return "<t:SendInvite xmlns:t=\"" + std::string(kTarget) + "\">" + std::string(children) + "</t:SendInvite>";
}
inline std::string send_invite(const InviteValues& values = {}) { return send_invite(children_xml(values)); }

inline std::string envelope(std::string_view body, std::string_view header = {}, std::string_view space = kSoap11) {
  return "<s:Envelope xmlns:s=\"" + std::string(space) + "\">" + std::string(header) + "<s:Body>" + std::string(body) +
         "</s:Body></s:Envelope>";
}

inline std::string request(const InviteValues& values = {}) { return envelope(send_invite(values)); }

/// A good request in which the first `what` is replaced.
inline std::string with(std::string_view what, std::string_view by, std::string xml = request()) {
  const auto at = xml.find(what);
  return at == std::string::npos ? std::string("nothing to replace") : xml.replace(at, what.size(), by);
}

inline std::string repeat(std::string_view text, std::size_t times) {
  std::string repeated;
  repeated.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) repeated += text;
  return repeated;
}

}  // namespace invited::test
