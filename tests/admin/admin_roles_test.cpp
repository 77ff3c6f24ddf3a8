// Whom roles manage, out of a deployment package, and what JSON dialects call them.
#include <gmock/gmock.h>

#include "admin/admin_fixture.h"
#include "domain/role_alias.h"

namespace invited::admin {
namespace {

using testing::HasSubstr;

using AdminRolesTest = AdminTest;

constexpr const char* kPilot = "6c2e6f0a-0000-4000-8000-000000000001";
constexpr const char* kTower = "6c2e6f0a-0000-4000-8000-000000000002";

/// "added renamed changed unchanged".
std::string counts(const Json& imported) {
  return imported["added"].dump() + imported["renamed"].dump() + imported["changed"].dump() +
         imported["unchanged"].dump();
}

TEST_F(AdminRolesTest, AnImportTakesOverWhomEachRoleManagesAndCountsEachRoleOnce) {
  const auto import = [&](const char* pilot_name, Json manageable, bool all) {
    return counts(
        result("role import",
               {{"app", "Harbour Planner"},
                {"roles",
                 {{{"uuid", kPilot}, {"name", pilot_name}, {"manages_all", all}, {"manageable", std::move(manageable)}},
                  {{"uuid", kTower}, {"name", "Tower"}}}}}));
  };
  const auto pilot = [&] {
    for (const Json& role : result("role list", {{"app", "Harbour Planner"}}))
      if (role["role_uuid"] == kPilot) return role;
    return Json();
  };
  EXPECT_EQ(import("Pilot", {kTower}, false), "2000");
  EXPECT_EQ(pilot()["manageable_role_uuids"], Json::array({kTower}));
  EXPECT_EQ(import("Pilot", {kTower, kTower}, false), "0002") << "twice the same is the same";
  EXPECT_EQ(import("Pilot", {kTower, kPilot}, false), "0011");
  EXPECT_EQ(import("Pilot", {kPilot, kTower}, false), "0002") << "the order means nothing";
  EXPECT_EQ(pilot()["manageable_role_uuids"], Json::array({kPilot, kTower}));
  EXPECT_EQ(import("Pilot", {kTower}, true), "0011");
  EXPECT_EQ(import("Pilot", {kTower}, true), "0002");
  EXPECT_EQ(pilot()["manages_all"], true);
  EXPECT_EQ(import("Harbour pilot", Json::array(), false), "0101") << "renamed and changed counts once";
  EXPECT_EQ(pilot()["manages_all"], false);
  EXPECT_EQ(pilot()["manageable_role_uuids"], Json::array());
  EXPECT_EQ(audited()[0], "role.changed");
  EXPECT_EQ(audited()[1], "role.renamed");
  EXPECT_EQ(error("role import", {{"app", "Harbour Planner"},
                                  {"roles", {{{"uuid", kPilot}, {"name", "Pilot"}, {"manageable", {"Tower"}}}}}}),
            "invalid_parameter roles");
}

TEST_F(AdminRolesTest, ADialectsNameIsMappedMappedAnewListedAndUnmapped) {
  const Json mapping{{"app", "harbour planner"}, {"dialect", "base44"}, {"name", "admin"}, {"role", "planner"}};
  const Json mapped = result("role map", mapping);
  EXPECT_EQ(mapped, Json({{"dialect", "base44"},
                          {"name", "admin"},
                          {"role_uuid", planner_.id.to_string()},
                          {"role_name", "Planner"},
                          {"app_uuid", app_.id.to_string()},
                          {"app_name", "Harbour Planner"}}));
  EXPECT_EQ(result("role mappings"), Json::array({mapped}));
  Json anew = mapping;
  anew["role"] = user_.id.to_string();
  EXPECT_EQ(result("role map", anew)["role_name"], "User");
  EXPECT_EQ(result("role mappings", {{"app", "Harbour Planner"}}).size(), 1U);
  const Json name{{"app", "Harbour Planner"}, {"dialect", "base44"}, {"name", "admin"}};
  EXPECT_EQ(result("role unmap", name)["name"], "admin");
  EXPECT_EQ(result("role mappings"), Json::array());
  EXPECT_EQ(error("role unmap", name), "not_found name");
  EXPECT_EQ(audited()[0], "role.unmapped");
  EXPECT_EQ(audited()[1], "role.mapped");
}

TEST_F(AdminRolesTest, EveryDialectHasNamesOfItsOwn) {
  for (const std::string_view dialect : domain::kAliasDialects)
    result("role map", {{"app", "Harbour Planner"}, {"dialect", dialect}, {"name", "default"}, {"role", "User"}});
  EXPECT_EQ(result("role mappings").size(), domain::kAliasDialects.size());
}

TEST_F(AdminRolesTest, WhatCannotBeMappedIsRefused) {
  result("app add", {{"name", "Ferry"}, {"url", "https://ferry.example.org"}});
  result("role add", {{"app", "Ferry"}, {"name", "Skipper"}});
  const Json good{{"app", "Harbour Planner"}, {"dialect", "medusa"}, {"name", "admin"}, {"role", "User"}};
  const struct {
    const char* argument;
    const char* value;
    const char* refused;
  } kRows[] = {
      {"app", "Nobody's", "not_found app"},
      {"app", "", "missing_parameter app"},
      {"dialect", "mendix", "invalid_parameter dialect"},
      {"dialect", "Medusa", "invalid_parameter dialect"},
      {"name", " ", "missing_parameter name"},
      {"name", " admin", "invalid_parameter name"},
      {"name", "ad\nmin", "invalid_parameter name"},
      {"role", "Skipper", "unknown_role role"},  // another app's
  };
  for (const auto& row : kRows) {
    Json bad = good;
    bad[row.argument] = row.value;
    EXPECT_EQ(error("role map", bad), row.refused) << row.argument << "=" << row.value;
  }
  Json bad = good;
  bad["name"] = std::string(101, 'x');
  EXPECT_EQ(error("role map", bad), "invalid_parameter name");
  EXPECT_EQ(result("role mappings"), Json::array());
}

}  // namespace
}  // namespace invited::admin
