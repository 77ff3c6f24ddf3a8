// What a WSDL says about a service, reduced to what we use: the gate checks requests against it, the page for people is
// written from it. Read once at start (wsdl_document.h), immutable afterwards.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace invited::soap {

struct ParameterDescription {
  std::string name;
  std::string documentation;
};

struct OperationDescription {
  std::string name;  ///< also the name of the wrapper element
  std::string documentation;
  std::string soap_action;
  std::vector<ParameterDescription> parameters;  ///< the wrapper's children, in the schema's order
};

struct ServiceDescription {
  std::string name;
  std::string target_namespace;
  std::string documentation;
  std::vector<OperationDescription> operations;

  const OperationDescription* find_operation(std::string_view operation) const {
    for (const auto& candidate : operations)
      if (candidate.name == operation) return &candidate;
    return nullptr;
  }
};

}  // namespace invited::soap
