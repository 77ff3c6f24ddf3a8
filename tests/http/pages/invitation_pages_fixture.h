// The invitee's pages over the real domain and a real database.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "domain/use_case_fixture.h"
#include "http/invitation_pages.h"
#include "http/pages/browser.h"

namespace invited::http {

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
