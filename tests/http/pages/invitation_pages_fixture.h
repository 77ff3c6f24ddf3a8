// The invitee's pages over the real domain and a real database, and a browser that keeps its cookies and sends the
// forms that it finds on a page.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "domain/use_case_fixture.h"
#include "http/invitation_pages.h"
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
    request.secure = true;
    request.headers.add("Accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    request.headers.add("Accept-Language", language);
    if (!cookie.empty()) request.headers.add("Cookie", cookie);
    RouteMatch match = router_.match(request.method, request.path);
    if (!match.route) return make_response(match.allow.empty() ? 404 : 405, "text/plain", "no route");
    request.path_parameters = std::move(match.path_parameters);
    Response response = match.route->handler(request);
    if (const auto set = response.headers.find("Set-Cookie")) cookie = set->substr(0, set->find(';'));
    return response;
  }

  std::string language = "en";
  std::string cookie;

 private:
  const Router& router_;
  std::string address_;
};

class InvitationPagesTest : public domain::UseCaseTest {
 protected:
  InvitationPagesTest() {
    policy_.environment_per_day = policy_.environment_per_second = 0;
    policy_.inviter_per_hour = policy_.inviter_per_day = 0;
    renderer_ = std::make_shared<const PageRenderer>("https://invite.example.org", base::Language::en);
    add_invitation_routes(
        router_, std::make_shared<const InvitationPages>(*context_, renderer_, base::Secret(std::string(32, 'c'))));
  }

  /// Invites and gives the token of the link.
  std::string invite(const std::string& invitee = "ada@example.org") {
    const auto sent = send(invitee);
    EXPECT_TRUE(sent) << sent.error().message;
    return token_of(find(sent->invitation_id));
  }

  domain::Invitation find(const base::Uuid& id) {
    std::optional<domain::Invitation> found;
    EXPECT_TRUE(store_->read([&](domain::Transaction& t) -> domain::Result<void> {
      found = t.find_invitation(id);
      return {};
    }));
    return found.value();
  }

  domain::LinkState link(const std::string& token) {
    return domain::view_invitation(token, "198.51.100.9", *context_)->link;
  }

  void add_account_of_ada() {
    write([&](domain::Transaction& t) -> domain::Result<void> {
      EXPECT_TRUE(domain::add_account("ada@example.org", "Ada L.", hasher_.hash(base::Secret(domain::kGoodPassword)), t,
                                      now()));
      return {};
    });
  }

  static Fields sign_up_form(const std::string& password = domain::kGoodPassword) {
    return {{"name", "Ada Lovelace"}, {"password", password}, {"password_again", password}};
  }

  std::shared_ptr<const PageRenderer> renderer_;
  Router router_;
};

}  // namespace invited::http
