// Whatever the bytes: the gate refuses them with a well-formed fault, or gives values and a canonical envelope that it
// would accept again and that gSOAP reads as the very same values.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "InviteAPI/InviteAPIInviteAPISoapService.h"
#include "soap/engine.h"
#include "soap/gate.h"
#include "soap/wsdl_document.h"
#include "soap/xml_scanner.h"

namespace {

namespace soap_side = invited::soap;

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "violated: %s\n", what);
  std::abort();
}

class Recorder final : public InviteAPI::InviteAPISoapService {
 public:
  explicit Recorder(::soap* context) : InviteAPISoapService(context) {}
  int SendInvite(InviteAPI::_tns__SendInvite* request, InviteAPI::_tns__SendInviteResponse&) override {
    values = {request->EnvironmentUUID, request->EnvironmentPassword, request->RoleUUID, request->InviteeEmailAddress,
              request->InviterEmailAddress};
    return SOAP_OK;
  }
  InviteAPISoapService* copy() override { return nullptr; }
  std::vector<std::string> values;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto service = soap_side::describe_wsdl(soap_side::find_wsdl("InviteAPI"));
  static soap_side::Engine engine;
  const std::string_view body(reinterpret_cast<const char*>(data), size);

  const auto call = soap_side::pass_gate("text/xml", body, service);
  if (!call) {
    const auto answer = soap_side::to_answer(call.error());
    require(answer.status >= 400 && answer.status <= 500, "a refusal has the status of one");
    require(!soap_side::find_xml_problem(answer.body.substr(answer.body.find('\n') + 1)), "a fault is well-formed");
    return 0;
  }
  const auto again = soap_side::pass_gate("text/xml", call->envelope, service);
  require(again.has_value(), "a canonical envelope passes the gate");
  require(again->values == call->values && again->envelope == call->envelope, "and comes out the same");

  std::vector<std::string> seen;
  const auto answer = engine.run(call->envelope, [&](::soap* context) {
    Recorder recorder(context);
    const int status = recorder.dispatch();
    seen = std::move(recorder.values);
    return status;
  });
  require(answer.has_value(), "gSOAP takes a canonical envelope");
  require(seen == call->values, "and reads the same values");
  return 0;
}
