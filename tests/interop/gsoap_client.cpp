// Calls SendInvite through the proxy class that soapcpp2 generated; see interop_test.py for what goes in and out.
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "InviteAPI/InviteAPIInviteAPISoapProxy.h"

namespace {

std::string text(const char* maybe) { return maybe == nullptr ? std::string() : maybe; }

}  // namespace

int main() {
  const auto question =
      nlohmann::json::parse(std::string(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()));
  const auto parameter = [&](const char* name) { return question["parameters"][name].get<std::string>(); };
  const std::string endpoint = question["endpoint"].get<std::string>();

  InviteAPI::InviteAPISoapProxy proxy(endpoint.c_str(), SOAP_C_UTFSTRING);
  InviteAPI::_tns__SendInvite request;
  request.EnvironmentUUID = parameter("EnvironmentUUID");
  request.EnvironmentPassword = parameter("EnvironmentPassword");
  request.RoleUUID = parameter("RoleUUID");
  request.InviteeEmailAddress = parameter("InviteeEmailAddress");
  request.InviterEmailAddress = parameter("InviterEmailAddress");
  InviteAPI::_tns__SendInviteResponse response;

  nlohmann::json answer{{"done", proxy.SendInvite(&request, response) == SOAP_OK}};
  if (!answer["done"].get<bool>()) {
    if (proxy.soap_fault() == nullptr) {
      proxy.soap_stream_fault(std::cerr);
      return 1;
    }
    answer["faultcode"] = text(*soap_faultcode(proxy.soap));
    answer["faultstring"] = text(proxy.soap_fault_string());
    answer["detail"] = text(proxy.soap_fault_detail());
  }
  std::cout << answer.dump() << '\n';
  return 0;
}
