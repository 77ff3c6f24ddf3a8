// What operators change about an app: where callers may send people, and who may invite to what.
#include "admin/admin_fixture.h"

namespace invited::admin {
namespace {

using AdminAppTest = AdminTest;

TEST_F(AdminAppTest, BeginsWithoutRedirectUrlsAndLetsTheAppDecide) {
  const Json app = result("app show", {{"app", "harbour planner"}});
  EXPECT_EQ(app, result("app list")[0]);
  EXPECT_EQ(app["grants"], "any");
  EXPECT_EQ(app["redirect_urls"], Json::array());
}

TEST_F(AdminAppTest, ChangesWhatIsGivenAndLeavesTheRest) {
  Json expected = result("app show", {{"app", "Harbour Planner"}});
  const struct {
    const char* argument;
    const char* member;
    Json value;
  } kRows[] = {{"name", "name", "Quay Planner"},
               {"url", "url", "https://quay.example.org/start"},
               {"language", "language", "nl"},
               {"grants", "grants", "manageable"},
               {"redirect-url", "redirect_urls", {"https://quay.example.org/a", "http://127.0.0.1:3000"}}};
  for (const auto& row : kRows) {
    expected[row.member] = row.value;
    EXPECT_EQ(result("app set", {{"app", app_.id.to_string()}, {row.argument, row.value}}), expected) << row.argument;
    EXPECT_EQ(audited().front(), "app.changed");
  }
  EXPECT_EQ(result("app list")[0], expected);
}

TEST_F(AdminAppTest, RedirectUrlsTakeThePlaceOfThoseBefore) {
  const auto set = [&](Json urls) {
    return result("app set", {{"app", "Harbour Planner"}, {"redirect-url", std::move(urls)}})["redirect_urls"];
  };
  EXPECT_EQ(set({"https://a.example.org", "https://b.example.org", "https://a.example.org"}),
            Json({"https://a.example.org", "https://b.example.org"}));
  EXPECT_EQ(set("https://c.example.org"), Json::array({"https://c.example.org"}));
  EXPECT_EQ(set(Json::array({""})), Json::array());
}

TEST_F(AdminAppTest, WhatCannotBeIsRefusedAndChangesNothing) {
  const Json before = result("app show", {{"app", "Harbour Planner"}});
  const struct {
    const char* argument;
    Json value;
    const char* parameter;
  } kRows[] = {
      {"name", "", "name"},
      {"name", "www.example.org", "name"},
      {"url", "", "url"},
      {"url", "ftp://example.org", "url"},
      {"language", "xx", "language"},
      {"grants", "", "grants"},
      {"grants", "all", "grants"},
      {"redirect-url", "javascript:alert(1)", "redirect-url"},
      {"redirect-url", Json::array({"https://a.example.org", "https://user@b.example.org"}), "redirect-url"},
      {"redirect-url", "https://a.example.org/x/../y", "redirect-url"},
      {"redirect-url", "//a.example.org", "redirect-url"},
      {"redirect-url", 5, "redirect-url"},
      {"redirect-url", Json::array({5}), "redirect-url"},
  };
  for (const auto& row : kRows)
    EXPECT_EQ(error("app set", {{"app", "Harbour Planner"}, {row.argument, row.value}}),
              std::string("invalid_parameter ") + row.parameter)
        << row.argument << " " << row.value;
  Json many = Json::array();
  for (int i = 0; i < 17; ++i) many.push_back("https://a.example.org/" + std::to_string(i));
  EXPECT_EQ(error("app set", {{"app", "Harbour Planner"}, {"redirect-url", many}}), "invalid_parameter redirect-url");
  EXPECT_EQ(error("app set", {{"app", "Harbour Planner"}}), "missing_parameter ");
  EXPECT_EQ(error("app set", {{"app", "Nobody's"}, {"grants", "any"}}), "not_found app");
  EXPECT_EQ(error("app show", {{"app", "Nobody's"}}), "not_found app");
  EXPECT_EQ(result("app show", {{"app", "Harbour Planner"}}), before);
}

}  // namespace
}  // namespace invited::admin
