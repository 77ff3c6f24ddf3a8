// The whole SOAP side on a real store: bytes in, bytes out, and what is stored afterwards.
#pragma once

#include <pugixml.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "domain/use_case_fixture.h"
#include "soap/endpoint.h"
#include "support/await_answer.h"
#include "support/soap_envelopes.h"

namespace invited::test {

/// What a client reads out of an answer; empty texts where it is no fault.
struct FaultSeen {
  int status = 0;
  std::string code;         ///< faultcode or Code/Value, without prefix
  std::string detail_code;  ///< "malformed_request"
  std::string text;
  std::string parameter;

  /// "500 Client invalid_email_address", or "200".
  std::string summary() const { return std::to_string(status) + (code.empty() ? "" : " " + code + " " + detail_code); }
};

inline FaultSeen read_answer(const soap::SoapAnswer& answer) {
  pugi::xml_document document;
  document.load_string(answer.body.c_str());
  const auto text = [&](const char* path) { return std::string(document.select_node(path).node().text().get()); };
  FaultSeen seen;
  seen.status = answer.status;
  const auto code = text("//faultcode") + text("//SOAP-ENV:Code/SOAP-ENV:Value");
  seen.code = code.substr(code.find(':') + 1);
  seen.detail_code = text("//f:Fault/f:Code");
  seen.parameter = text("//f:Fault/f:Parameter");
  seen.text = text("//faultstring") + text("//SOAP-ENV:Reason/SOAP-ENV:Text");
  return seen;
}

/// Calls the endpoint and waits for its answer.
inline soap::SoapAnswer handle(soap::Endpoint& endpoint, const soap::SoapRequest& request) {
  return await_answer<soap::SoapAnswer>([&](auto respond) { endpoint.handle(request, std::move(respond)); });
}

class SoapServiceTest : public domain::UseCaseTest {
 protected:
  SoapServiceTest() {
    context_->mail_queued = [] {};
  }  // the fixture's counter is not for several threads

  /// Values of a call that succeeds.
  InviteValues good_values() const {
    return {environment_.id.to_string(), std::string(password_.reveal()), user_.id.to_string(), "ada@example.org",
            "grace@example.org"};
  }
  std::string good_request() const { return test::request(good_values()); }
  /// A good request in which the first `what` is replaced.
  std::string good_with(std::string_view what, std::string_view by) const { return with(what, by, good_request()); }

  soap::SoapAnswer post(std::string body, std::string_view content_type = kTextXml) {
    return handle(endpoint_, {body, content_type, {}, "192.0.2.1"});
  }
  FaultSeen seen(std::string body, std::string_view content_type = kTextXml) {
    return read_answer(post(std::move(body), content_type));
  }

  soap::Engine engine_;
  soap::Endpoint endpoint_{soap::services().front(), engine_, *context_};
};

}  // namespace invited::test
