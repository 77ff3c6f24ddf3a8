// A browser that keeps its cookies and sends the forms that it finds on a page, straight into a router.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "http/pages/parsed_page.h"
#include "http/router.h"

namespace invited::http {

using Fields = std::map<std::string, std::string>;

inline std::string form_encode(const Fields& fields) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string body;
  for (const auto& [name, value] : fields) {
    body += (body.empty() ? "" : "&") + name + "=";
    for (const char c : value) {
      const auto byte = static_cast<unsigned char>(c);
      body += '%';
      body += kDigits[byte >> 4];
      body += kDigits[byte & 15];
    }
  }
  return body;
}

/// One browser: a language, an address, a cookie jar.
class Browser {
 public:
  explicit Browser(const Router& router, std::string address = "192.0.2.7")
      : router_(router), address_(std::move(address)) {}

  Response get(const std::string& path, std::string method = "GET") {
    Request request;
    request.method = std::move(method);
    return send(path, std::move(request));
  }

  Response post(const std::string& path, const Fields& fields) {
    Request request;
    request.method = "POST";
    request.headers.add("Content-Type", "application/x-www-form-urlencoded");
    request.body = form_encode(fields);
    return send(path, std::move(request));
  }

  /// Opens the page at `path` and posts the form that leads to `action`, as it stands there but for `fields`.
  Response fill_in(const std::string& path, const std::string& action, const Fields& fields) {
    return post(action, fields_of(get(path), action, fields));
  }

  /// What the form on that page that leads to `action` would send, but for `changes`.
  static Fields fields_of(const Response& response, const std::string& action, Fields changes = {}) {
    const ParsedPage page(response);
    const std::string form = "//form[@action='" + action + "']";
    EXPECT_TRUE(page.has(form.c_str())) << response.status << " has no form for " << action;
    const std::string inputs = form + "//input[@name] | " + form + "//textarea[@name]";
    for (const auto& found : page.document().select_nodes(inputs.c_str())) {
      const pugi::xml_node node = found.node();
      std::string value = node.attribute("value").value();
      // HTML takes off one line end after the tag of a textarea.
      if (std::string_view(node.name()) == "textarea") value = node.child_value();
      if (value.starts_with('\n')) value.erase(0, 1);
      changes.insert({node.attribute("name").value(), std::move(value)});
    }
    return changes;
  }

  /// Opens the link's page and posts the form that leads to `action`, with its hidden fields and `fields`.
  Response submit(const std::string& token, const std::string& action, Fields fields) {
    const ParsedPage page(get("/i/" + token));
    const std::string form = "//form[contains(@action, '/" + action + "')]";
    fields.insert({"csrf", page.text((form + "//input[@name='csrf']/@value").c_str())});
    return post("/i/" + token + "/" + action, fields);
  }

  /// With headers of the caller's, and all that a browser adds.
  Response send(const std::string& path, Request request) {
    const auto question = path.find('?');
    request.path = path.substr(0, question);
    if (question != std::string::npos) request.query = path.substr(question + 1);
    request.has_query = question != std::string::npos;
    request.client_address = address_;
    request.secure = secure;
    request.headers.add("Accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    request.headers.add("Accept-Language", language);
    if (!origin.empty() && request.method == "POST") request.headers.add("Origin", origin);
    if (!cookie.empty()) request.headers.add("Cookie", cookie);
    RouteMatch match = router_.match(request.method, request.path);
    if (!match.route) return make_response(match.allow.empty() ? 404 : 405, "text/plain", "no route");
    request.path_parameters = std::move(match.path_parameters);
    Response response = match.route->handler(request);
    for (const auto& [name, value] : response.headers.all())
      if (equals_ignoring_case(name, "Set-Cookie")) take(value);
    return response;
  }

  /// The value of one of the cookies, without `__Host-`; empty where there is none.
  std::string cookie_value(std::string_view name) const {
    const auto at = cookie.find(std::string(name) + '=');
    if (at == std::string::npos) return {};
    const auto begin = at + name.size() + 1;
    return cookie.substr(begin, cookie.find(';', begin) - begin);
  }

  std::string language = "en";
  std::string origin;  ///< told with each form; empty: not at all, as by old browsers
  std::string cookie;  ///< the header as it is sent: all of them
  bool secure = true;

 private:
  void take(const std::string& set_cookie) {
    const std::string pair = set_cookie.substr(0, set_cookie.find(';'));
    const std::string name = pair.substr(0, pair.find('=') + 1);
    std::string kept;
    std::string_view rest = cookie;
    while (!rest.empty()) {
      const auto end = std::min(rest.find("; "), rest.size());
      if (!rest.substr(0, end).starts_with(name)) kept += (kept.empty() ? "" : "; ") + std::string(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 2, rest.size()));
    }
    cookie = kept;
    if (set_cookie.find("; Max-Age=0") == std::string::npos) cookie += (cookie.empty() ? "" : "; ") + pair;
  }

  const Router& router_;
  std::string address_;
};

}  // namespace invited::http
