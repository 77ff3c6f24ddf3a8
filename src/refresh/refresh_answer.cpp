#include "refresh/refresh_answer.h"

#include <algorithm>
#include <pugixml.hpp>

#include "calls/one_line.h"

namespace invited::refresh {
namespace {

using calls::one_line;
using domain::CallOutcome;
using domain::CallResult;

std::string_view local_name(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  const std::size_t colon = name.rfind(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

/// By local name: whoever answers a call of ours in another namespace still means the same.
pugi::xml_node child(const pugi::xml_node& node, std::string_view name) {
  return node.find_child([name](const pugi::xml_node& c) { return local_name(c) == name; });
}

std::string text_of(const pugi::xml_node& node) {
  std::string text;
  for (const pugi::xml_node& part : node.children()) text += part.value();
  return text;
}

/// The Body of a SOAP message; empty where `document` is none. pugixml leaves what a DTD declares unresolved; a message
/// that has one is none all the same (SOAP 1.1 section 3).
pugi::xml_node body_of(const pugi::xml_document& document) {
  for (const pugi::xml_node& node : document.children())
    if (node.type() == pugi::node_doctype) return {};
  const pugi::xml_node envelope = document.document_element();
  return local_name(envelope) == "Envelope" ? child(envelope, "Body") : pugi::xml_node();
}

std::string fault_text(const pugi::xml_node& fault) {
  std::string text = text_of(child(fault, "faultstring"));
  if (text.empty()) text = text_of(child(child(fault, "Reason"), "Text"));  // SOAP 1.2
  text = one_line(text);
  return text.empty() ? "the app answered with a fault that says nothing" : text;
}

std::string explain_status(int status) {
  std::string answered = "the app answered with HTTP status " + std::to_string(status);
  if (status / 100 == 2)
    return "the answer is not a SOAP message: the refresh URL must be the address of the app's RefreshAPI";
  if (status / 100 == 3) return answered + ", a redirect, which is not followed: set the refresh URL to where it leads";
  if (status == 401 || status == 403)
    return answered + ": the call carries no credentials, so the app and what stands before it must let it in without";
  if (status == 404 || status == 405) return answered + ": there is no RefreshAPI at the refresh URL";
  return answered;
}

}  // namespace

CallResult judge_answer(int http_status, std::string_view body) {
  const bool is_good = http_status / 100 == 2;
  const bool is_empty = body.find_first_not_of(" \t\r\n") == std::string_view::npos;
  if (is_good && is_empty) return {CallOutcome::done, http_status, {}};
  pugi::xml_document document;
  const auto parsed =
      document.load_buffer(body.data(), body.size(), pugi::parse_default | pugi::parse_doctype, pugi::encoding_auto);
  const pugi::xml_node content = parsed ? body_of(document) : pugi::xml_node();
  if (const pugi::xml_node fault = child(content, "Fault"))
    return {CallOutcome::deferred, http_status, fault_text(fault)};
  if (is_good && content) return {CallOutcome::done, http_status, {}};
  return {CallOutcome::deferred, http_status, explain_status(http_status)};
}

}  // namespace invited::refresh
