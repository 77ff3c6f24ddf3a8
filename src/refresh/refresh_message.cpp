#include "refresh/refresh_message.h"

#include <array>
#include <memory>
#include <new>

#include "RefreshAPI/RefreshAPIH.h"

namespace invited::refresh {
namespace {

// CANONICAL makes the message declare the namespaces that it uses and no others.
constexpr soap_mode kMode = SOAP_XML_TREE | SOAP_XML_CANONICAL | SOAP_C_UTFSTRING | SOAP_ENC_PLAIN;

struct Free {
  void operator()(::soap* context) const {
    soap_destroy(context);
    soap_end(context);
    soap_free(context);
  }
};

int append(::soap* context, const char* data, std::size_t size) noexcept try {
  static_cast<std::string*>(context->user)->append(data, size);
  return SOAP_OK;
} catch (const std::bad_alloc&) {
  return SOAP_EOM;
}

}  // namespace

RefreshMessage make_refresh_message(const std::string& name_space, const std::string& openid) {
  // What soapcpp2 makes of the WSDL, but for the last line, which is the environment's.
  const std::array<Namespace, 6> namespaces{
      {{"SOAP-ENV", "http://schemas.xmlsoap.org/soap/envelope/", nullptr, nullptr},
       {"SOAP-ENC", "http://schemas.xmlsoap.org/soap/encoding/", nullptr, nullptr},
       {"xsi", "http://www.w3.org/2001/XMLSchema-instance", nullptr, nullptr},
       {"xsd", "http://www.w3.org/2001/XMLSchema", nullptr, nullptr},
       {"home", name_space.c_str(), nullptr, nullptr},
       {nullptr, nullptr, nullptr, nullptr}}};
  RefreshMessage message;
  message.soap_action = '"' + name_space + (name_space.ends_with('/') ? "" : "/") + "RefreshUserPermissions\"";

  const std::unique_ptr<::soap, Free> context(soap_new1(kMode));
  if (!context) throw std::bad_alloc();
  soap_set_namespaces(context.get(), namespaces.data());
  context->user = &message.envelope;
  context->fsend = &append;
  RefreshAPI::_home__RefreshUserPermissions request;
  request.OpenId = openid;
  request.soap_serialize(context.get());
  const bool written = soap_begin_send(context.get()) == SOAP_OK && soap_envelope_begin_out(context.get()) == SOAP_OK &&
                       soap_body_begin_out(context.get()) == SOAP_OK &&
                       request.soap_put(context.get(), "home:RefreshUserPermissions", "") == SOAP_OK &&
                       soap_body_end_out(context.get()) == SOAP_OK && soap_envelope_end_out(context.get()) == SOAP_OK &&
                       soap_end_send(context.get()) == SOAP_OK;
  if (!written) throw std::bad_alloc();  // there is nothing else that could fail in memory
  return message;
}

}  // namespace invited::refresh
