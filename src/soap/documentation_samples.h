// The messages that the page for people shows: requests to copy, and what comes back. Written from a service's
// description, so that they fit its WSDL. Pure functions; thread-safe.
#pragma once

#include <string>

#include "soap/service_description.h"

namespace invited::soap {

/// A complete SOAP 1.1 request.
std::string sample_request(const ServiceDescription& service, const OperationDescription& operation);

/// The SOAP 1.1 answer to it.
std::string sample_answer(const ServiceDescription& service, const OperationDescription& operation);

/// A refused call's.
std::string sample_fault();

}  // namespace invited::soap
