// What a WSDL says about a service, reduced to what we use: the gate checks requests against it, the page for people is
// written from it. Read once at start (wsdl_document.h, services.h), immutable afterwards.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace invited::soap {

struct ParameterDescription {
  std::string name;
  std::string documentation;
  std::string alias{};  ///< a second name that is understood; empty: none. Not of the WSDL (services.h)

  bool is_called(std::string_view given) const { return given == name || (!alias.empty() && given == alias); }
};

/// An element of an answer.
struct MemberDescription {
  std::string name;
  std::string documentation;
  std::size_t max_length = 0;  ///< code points; 0: any, or not a text
  bool nillable = false;
  bool optional = false;  ///< may be absent
  bool repeated = false;
  std::vector<MemberDescription> members{};  ///< empty: a text
};

struct OperationDescription {
  std::string name;  ///< also the name of the wrapper element
  std::string documentation;
  std::string soap_action;
  std::vector<ParameterDescription> parameters;  ///< the wrapper's children, in the schema's order
  std::vector<MemberDescription> answer;         ///< the children of the answer's wrapper, likewise
};

struct ServiceDescription {
  std::string name;
  std::string version;  ///< not of the WSDL (services.h)
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
