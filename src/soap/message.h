// A SOAP call and its answer as plain values: bytes in, bytes out, no socket, no HTTP library. main adapts them to what
// the HTTP front speaks. Values; thread-safe as such.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace invited::soap {

enum class SoapVersion { v1_1, v1_2 };

/// The media type of messages in that version, with charset.
constexpr std::string_view media_type(SoapVersion version) {
  return version == SoapVersion::v1_1 ? "text/xml; charset=utf-8" : "application/soap+xml; charset=utf-8";
}

/// The namespace of the Envelope in that version.
constexpr std::string_view envelope_namespace(SoapVersion version) {
  return version == SoapVersion::v1_1 ? "http://schemas.xmlsoap.org/soap/envelope/"
                                      : "http://www.w3.org/2003/05/soap-envelope";
}

/// Views into what the caller keeps until it has its answer.
struct SoapRequest {
  std::string_view body;             ///< as it came, without any transfer or content coding
  std::string_view content_type;     ///< the Content-Type header
  std::string_view idempotency_key;  ///< the Idempotency-Key header; empty: none
  std::string_view client_address;   ///< IP address
};

struct SoapAnswer {
  int status = 200;
  std::string content_type;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  ///< further ones, e.g. Retry-After, Allow
};

}  // namespace invited::soap
