#include "http/csrf.h"

#include <gtest/gtest.h>

#include <tuple>

namespace invited::http {
namespace {

constexpr std::string_view kToken = "AQEtoken";

class CsrfTest : public testing::Test {
 protected:
  /// "name=value" of a Set-Cookie.
  static std::string pair_of(const CsrfTicket& ticket) {
    return ticket.set_cookie.substr(0, ticket.set_cookie.find(';'));
  }

  static Request post(const std::string& cookie, bool secure = true) {
    Request request;
    request.method = "POST";
    request.secure = secure;
    if (!cookie.empty()) request.headers.add("cookie", cookie);
    return request;
  }

  CsrfGuard guard_{base::Secret(std::string(32, 'c')), "https://invite.example.org"};
};

TEST_F(CsrfTest, AFormOfOursIsGenuine) {
  const CsrfTicket ticket = guard_.issue(post(""), kToken);
  EXPECT_EQ(guard_.judge(post(pair_of(ticket)), ticket.form_value, kToken), CsrfVerdict::genuine);
  EXPECT_EQ(guard_.judge(post("other=1; " + pair_of(ticket) + "; more=2"), ticket.form_value, kToken),
            CsrfVerdict::genuine);
}

TEST_F(CsrfTest, OverTlsTheCookieIsBoundToTheHost) {
  EXPECT_TRUE(guard_.issue(post(""), kToken).set_cookie.starts_with("__Host-invited_csrf="));
  EXPECT_NE(guard_.issue(post(""), kToken).set_cookie.find("; Path=/; HttpOnly; SameSite=Lax; Secure"),
            std::string::npos);
  const CsrfTicket plain = guard_.issue(post("", false), kToken);
  EXPECT_TRUE(plain.set_cookie.starts_with("invited_csrf="));
  EXPECT_EQ(plain.set_cookie.find("Secure"), std::string::npos);
  EXPECT_EQ(guard_.judge(post(pair_of(plain)), plain.form_value, kToken), CsrfVerdict::no_cookie)
      << "a cookie that plain HTTP planted counts nothing over TLS";
}

TEST_F(CsrfTest, AFormOfAnotherLinkCookieOrKeyIsStale) {
  const CsrfTicket ticket = guard_.issue(post(""), kToken);
  const CsrfTicket another = guard_.issue(post(""), kToken);
  const CsrfGuard other_key(base::Secret(std::string(32, 'd')), "https://invite.example.org");
  EXPECT_EQ(guard_.judge(post(pair_of(ticket)), "", kToken), CsrfVerdict::stale);
  EXPECT_EQ(guard_.judge(post(pair_of(ticket)), "x", kToken), CsrfVerdict::stale);
  EXPECT_EQ(guard_.judge(post(pair_of(ticket)), another.form_value, kToken), CsrfVerdict::stale);
  EXPECT_EQ(guard_.judge(post(pair_of(ticket)), ticket.form_value, "AQEother"), CsrfVerdict::stale);
  EXPECT_EQ(other_key.judge(post(pair_of(ticket)), ticket.form_value, kToken), CsrfVerdict::stale);
}

TEST_F(CsrfTest, WithoutACookieItSaysSo) {
  const CsrfTicket ticket = guard_.issue(post(""), kToken);
  EXPECT_EQ(guard_.judge(post(""), ticket.form_value, kToken), CsrfVerdict::no_cookie);
  EXPECT_EQ(guard_.judge(post("__Host-invited_csrfx=1"), ticket.form_value, kToken), CsrfVerdict::no_cookie);
}

TEST_F(CsrfTest, JudgesWhereTheFormComesFrom) {
  const CsrfTicket ticket = guard_.issue(post(""), kToken);
  struct Case {
    const char* origin;
    const char* site;
    CsrfVerdict expected;
  };
  const Case cases[]{
      {nullptr, nullptr, CsrfVerdict::genuine},
      {"https://invite.example.org", nullptr, CsrfVerdict::genuine},
      {"https://invite.example.org", "same-origin", CsrfVerdict::genuine},
      {nullptr, "none", CsrfVerdict::genuine},
      {"null", "same-origin", CsrfVerdict::genuine},  // a browser told to send no referrer
      {"null", nullptr, CsrfVerdict::foreign},
      {"null", "cross-site", CsrfVerdict::foreign},
      {"", nullptr, CsrfVerdict::foreign},
      {"https://evil.example", nullptr, CsrfVerdict::foreign},
      {"http://invite.example.org", nullptr, CsrfVerdict::foreign},
      {"https://invite.example.org:8443", nullptr, CsrfVerdict::foreign},
      {"https://invite.example.org.evil.example", nullptr, CsrfVerdict::foreign},
      {"https://invite.example.org", "cross-site", CsrfVerdict::foreign},
      {nullptr, "cross-site", CsrfVerdict::foreign},
      {nullptr, "same-site", CsrfVerdict::foreign},
  };
  for (const Case& each : cases) {
    Request request = post(pair_of(ticket));
    if (each.origin) request.headers.add("Origin", each.origin);
    if (each.site) request.headers.add("Sec-Fetch-Site", each.site);
    EXPECT_EQ(guard_.judge(request, ticket.form_value, kToken), each.expected)
        << (each.origin ? each.origin : "-") << " " << (each.site ? each.site : "-");
  }
}

TEST_F(CsrfTest, OnlyTheBrowserItselfVouchesForOurPages) {
  const std::tuple<const char*, const char*, bool> cases[]{
      {nullptr, nullptr, false},
      {nullptr, "none", false},
      {"https://invite.example.org", nullptr, true},
      {"null", "same-origin", true},
      {nullptr, "same-origin", true},
      {"https://evil.example", "same-origin", false},
      {"https://invite.example.org", "cross-site", false},
  };
  for (const auto& [origin, site, expected] : cases) {
    Request request = post("");
    if (origin) request.headers.add("Origin", origin);
    if (site) request.headers.add("Sec-Fetch-Site", site);
    EXPECT_EQ(guard_.is_from_here(request), expected) << (origin ? origin : "-") << " " << (site ? site : "-");
  }
}

TEST_F(CsrfTest, T11KeepsItsOwnCookieForASecondTabAndTakesNoPlantedOne) {
  const CsrfTicket first = guard_.issue(post(""), kToken);
  EXPECT_EQ(pair_of(guard_.issue(post(pair_of(first)), kToken)), pair_of(first));
  for (const std::string planted : {"x", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ""}) {
    const CsrfTicket ticket = guard_.issue(post("__Host-invited_csrf=" + planted), kToken);
    EXPECT_NE(pair_of(ticket), "__Host-invited_csrf=" + planted);
  }
}

TEST_F(CsrfTest, T11ForSomebodyElseThereIsANewOne) {
  const CsrfTicket first = guard_.issue(post(""), kToken);
  EXPECT_NE(pair_of(guard_.renew(post(pair_of(first)), kToken)), pair_of(first));
}

TEST_F(CsrfTest, APlantedCookieBesideOursDoesNotShutUsOut) {
  const CsrfTicket ticket = guard_.issue(post(""), kToken);
  EXPECT_EQ(guard_.judge(post("__Host-invited_csrf=evil; " + pair_of(ticket)), ticket.form_value, kToken),
            CsrfVerdict::genuine);
}

}  // namespace
}  // namespace invited::http
