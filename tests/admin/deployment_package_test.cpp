#include "admin/deployment_package.h"

#include <gtest/gtest.h>

namespace invited::admin {
namespace {

TEST(DeploymentPackage, GivesTheRolesInTheFilesOrder) {
  const auto roles = read_package_roles(
      "\xEF\xBB\xBF"
      R"({"RuntimeVersion":"7.23","AdminUser":"MxAdmin","AdminRole":"53F5D6FA-6DA9-4A71-B011-454EC052CCE8",
          "Roles":{"8e4f1c2a-0000-4000-8000-000000000002":{"Name":"User","ManageableRoles":[]},
                   "53F5D6FA-6DA9-4A71-B011-454EC052CCE8":{"Name":"Administrator","ManageAllRoles":true,"ManageableRoles":["8E4F1C2A-0000-4000-8000-000000000002"]}}})");
  ASSERT_TRUE(roles) << roles.error().message;
  ASSERT_EQ(roles->size(), 2U);
  EXPECT_EQ((*roles)[0].name, "User");
  EXPECT_EQ((*roles)[1].id.to_string(), "53f5d6fa-6da9-4a71-b011-454ec052cce8");
  EXPECT_FALSE((*roles)[0].manages_all);
  EXPECT_TRUE((*roles)[0].manageable.empty());
  EXPECT_TRUE((*roles)[1].manages_all);
  EXPECT_EQ((*roles)[1].manageable, std::vector{(*roles)[0].id});
}

TEST(DeploymentPackage, ARoleThatSaysNothingOfOthersManagesNone) {
  for (const char* rest :
       {"", R"(,"ManageableRoles":null)", R"(,"ManageableRoles":[])", R"(,"ManageAllRoles":"yes")"}) {
    const auto roles = read_package_roles(
        std::string(R"({"Roles":{"8e4f1c2a-0000-4000-8000-000000000002":{"Name":"A")") + rest + "}}}");
    ASSERT_TRUE(roles) << rest;
    EXPECT_FALSE(roles->front().manages_all) << rest;
    EXPECT_TRUE(roles->front().manageable.empty()) << rest;
  }
}

TEST(DeploymentPackage, WhatIsNotOneIsRefused) {
  for (const char* content :
       {"", "PK\x03\x04", "[]", "{}", "null", R"({"Roles":[]})", R"({"Roles":{}})",
        R"({"Roles":{"x":{"Name":"User"}}})", R"({"Roles":{"8e4f1c2a-0000-4000-8000-000000000002":{}}})",
        R"({"Roles":{"8e4f1c2a-0000-4000-8000-000000000002":"User"}})",
        R"({"Roles":{"8e4f1c2a-0000-4000-8000-000000000002":{"Name":5}}})", R"({"Roles":{)",
        R"({"Roles":{"8e4f1c2a-0000-4000-8000-000000000002":{"Name":"A","ManageableRoles":["User"]}}})",
        R"({"Roles":{"8e4f1c2a-0000-4000-8000-000000000002":{"Name":"A","ManageableRoles":[7]}}})",
        R"({"Roles":{"8e4f1c2a-0000-4000-8000-000000000002":{"Name":"A","ManageableRoles":{}}}})"}) {
    const auto roles = read_package_roles(content);
    ASSERT_FALSE(roles) << content;
    EXPECT_EQ(roles.error().parameter, "file");
  }
}

}  // namespace
}  // namespace invited::admin
