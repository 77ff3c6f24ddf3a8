// Calls every operation through the proxy classes that soapcpp2 generated; ../interop_test.py says what goes in and
// out.
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "InviteAPI/InviteAPIInviteAPISoapProxy.h"
#include "PermissionsAPI/PermissionsAPIPermissionsAPISoapProxy.h"
#include "ProfileService/ProfileServiceProfileServiceSoapProxy.h"
#include "ProfileService_1/ProfileService_1ProfileServiceSoapProxy.h"

namespace {

using nlohmann::json;

std::string text(const char* maybe) { return maybe == nullptr ? std::string() : maybe; }
json text_or_null(const std::string* maybe) { return maybe == nullptr ? json(nullptr) : json(*maybe); }

/// What came of a call: the answer where it went well, else what the proxy says of the fault.
template <class Proxy>
json outcome(Proxy& proxy, int status, const json& answer) {
  if (status == SOAP_OK) return {{"done", true}, {"answer", answer}};
  if (proxy.soap_fault() == nullptr) {
    proxy.soap_stream_fault(std::cerr);
    std::exit(1);
  }
  return {{"done", false},
          {"faultcode", text(*soap_faultcode(proxy.soap))},
          {"faultstring", text(proxy.soap_fault_string())},
          {"detail", text(proxy.soap_fault_detail())}};
}

json send_invite(const std::string& endpoint, const json& parameters) {
  InviteAPI::InviteAPISoapProxy proxy(endpoint.c_str(), SOAP_C_UTFSTRING);
  InviteAPI::_tns__SendInvite request;
  request.EnvironmentUUID = parameters["EnvironmentUUID"];
  request.EnvironmentPassword = parameters["EnvironmentPassword"];
  request.RoleUUID = parameters["RoleUUID"];
  request.InviteeEmailAddress = parameters["InviteeEmailAddress"];
  request.InviterEmailAddress = parameters["InviterEmailAddress"];
  InviteAPI::_tns__SendInviteResponse response;
  return outcome(proxy, proxy.SendInvite(&request, response), nullptr);
}

json get_roles(const std::string& endpoint, const json& parameters) {
  PermissionsAPI::PermissionsAPISoapProxy proxy(endpoint.c_str(), SOAP_C_UTFSTRING);
  PermissionsAPI::_tns__GetRolesForOpenID request;
  request.OpenID = parameters["OpenID"];
  request.EnvironmentID = parameters["EnvironmentID"];
  request.EnvironmentPassword = parameters["EnvironmentPassword"];
  PermissionsAPI::_tns__GetRolesForOpenIDResponse response;
  const int status = proxy.GetRolesForOpenID(&request, response);
  json roles = json::array();
  for (const auto* role : response.AppRole) roles.push_back({{"UUID", role->UUID}, {"DisplayName", role->DisplayName}});
  return outcome(proxy, status, roles);
}

json get_user_profile(const std::string& endpoint, const json& parameters) {
  ProfileService::ProfileServiceSoapProxy proxy(endpoint.c_str(), SOAP_C_UTFSTRING);
  ProfileService::_tns__GetUserProfile request;
  request.OpenID = parameters["OpenID"];
  request.EnvironmentUUID = parameters["EnvironmentUUID"];
  request.EnvironmentPassword = parameters["EnvironmentPassword"];
  ProfileService::_tns__GetUserProfileResponse response;
  const int status = proxy.GetUserProfile(&request, response);
  if (status != SOAP_OK) return outcome(proxy, status, nullptr);
  const auto& person = *response.UserProfile;
  const auto& company = *person.UserProfile_USCORECompany->Company;
  return outcome(
      proxy, status,
      {{"OpenId", text_or_null(person.OpenId)},
       {"DisplayName", text_or_null(person.DisplayName)},
       {"EmailAddress", text_or_null(person.EmailAddress)},
       {"JobTitle", text_or_null(person.JobTitle)},
       {"Department", text_or_null(person.Department)},
       {"Location", text_or_null(person.Location)},
       {"Bio", text_or_null(person.Bio)},
       {"Website", text_or_null(person.Website)},
       {"Phone", text_or_null(person.Phone)},
       {"Skype", text_or_null(person.Skype)},
       {"CompanyId", text_or_null(person.CompanyId)},
       {"Company", text_or_null(person.Company)},
       {"UserProfile_Company",
        {{"CompanyId", text_or_null(company.CompanyId)}, {"CompanyName", text_or_null(company.CompanyName)}}}});
}

json get_display_name(const std::string& endpoint, const json& parameters) {
  ProfileService_1::ProfileServiceSoapProxy proxy(endpoint.c_str(), SOAP_C_UTFSTRING);
  ProfileService_1::_tns__GetDisplayName request;
  request.OpenID = parameters["OpenID"];
  request.EnvironmentPassword = parameters["EnvironmentPassword"];
  request.EnvironmentUUID = parameters["EnvironmentUUID"];
  ProfileService_1::_tns__GetDisplayNameResponse response;
  const int status = proxy.GetDisplayName(&request, response);
  return outcome(proxy, status, response.Result);
}

}  // namespace

int main() {
  const auto question =
      json::parse(std::string(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()));
  const auto endpoint = [&](const char* service) {
    const std::string wsdl = question["wsdl"][service];
    return wsdl.substr(0, wsdl.find('?'));
  };
  json answers = json::array();
  for (const json& call : question["calls"]) {
    const std::string operation = call["operation"];
    const json& parameters = call["parameters"];
    if (operation == "SendInvite")
      answers.push_back(send_invite(endpoint("InviteAPI"), parameters));
    else if (operation == "GetRolesForOpenID")
      answers.push_back(get_roles(endpoint("PermissionsAPI"), parameters));
    else if (operation == "GetUserProfile")
      answers.push_back(get_user_profile(endpoint("ProfileService"), parameters));
    else
      answers.push_back(get_display_name(endpoint("ProfileService-1"), parameters));
  }
  std::cout << answers.dump() << '\n';
  return 0;
}
