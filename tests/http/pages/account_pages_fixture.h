// The pages of people with an account over the real domain and a real database. Ada has an account with a password.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "domain/reset_password.h"
#include "domain/session.h"
#include "domain/use_case_fixture.h"
#include "http/account_pages.h"
#include "http/pages/browser.h"

namespace invited::http {

inline constexpr const char* kAda = "ada@example.org";
inline constexpr const char* kOtherGoodPassword = "velvet tractor umbrella noon";

class AccountPagesTest : public domain::UseCaseTest {
 protected:
  AccountPagesTest() {
    renderer_ = std::make_shared<const PageRenderer>("https://invite.example.org", base::Language::en);
    add_account_routes(router_, *context_, renderer_, base::Secret(std::string(32, 'c')));
    add_account(kAda, "Ada Lovelace");
  }

  void add_account(const std::string& email, const std::string& name,
                   const std::string& password = domain::kGoodPassword) {
    write([&](domain::Transaction& t) -> domain::Result<void> {
      const std::string hash = password.empty() ? std::string() : hasher_.hash(base::Secret(password));
      EXPECT_TRUE(domain::add_account(email, name, hash, t, now()));
      return {};
    });
  }

  void change_account(const std::string& email, const std::function<void(domain::Account&)>& change) {
    write([&](domain::Transaction& t) -> domain::Result<void> {
      auto account = t.find_account_by_email(email);
      change(*account);
      t.update(*account);
      return {};
    });
  }

  static Response sign_in(Browser& browser, const std::string& password = domain::kGoodPassword,
                          const std::string& email = kAda) {
    return browser.fill_in("/sign-in", "/sign-in", {{"email", email}, {"password", password}});
  }

  Browser signed_in_browser() {
    Browser browser(router_);
    const Response response = sign_in(browser);
    EXPECT_EQ(response.status, 303);
    return browser;
  }

  bool is_signed_in(const std::string& session) {
    const auto person = domain::find_signed_in(session, *context_);
    return person && person->has_value();
  }

  /// Asks for a new password as Ada does, and gives the token of the link in the mail.
  std::string ask_for_reset(const std::string& email = kAda) {
    EXPECT_TRUE(domain::request_password_reset(email, base::Language::en, "198.51.100.20", *context_));
    return newest_reset_token();
  }

  std::string newest_reset_token() {
    for (const domain::OutboxMessage& message : messages())
      if (message.kind == domain::MessageKind::password_reset)
        return domain::make_reset_token(keys_, {message.account_id, message.generation, message.expires_at});
    ADD_FAILURE() << "no mail with a link";
    return {};
  }

  std::size_t reset_mails() {
    std::size_t count = 0;
    for (const auto& message : messages()) count += message.kind == domain::MessageKind::password_reset ? 1 : 0;
    return count;
  }

  static Fields new_password(const std::string& password = kOtherGoodPassword) {
    return {{"password", password}, {"password_again", password}};
  }

  domain::Profile profile_of(const std::string& email) {
    domain::Profile profile;
    EXPECT_TRUE(store_->read([&](domain::Transaction& t) -> domain::Result<void> {
      profile = t.find_profile(t.find_account_by_email(email)->id);
      return {};
    }));
    return profile;
  }

  std::shared_ptr<const PageRenderer> renderer_;
  Router router_;
};

}  // namespace invited::http
