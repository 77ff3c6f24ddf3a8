#include "domain/role_alias.h"

#include "domain/caller_fixture.h"

namespace invited::domain {
namespace {

class RoleAliasTest : public CallerTest {
 protected:
  void map(std::string_view dialect, std::string_view name, const Role& role) {
    write([&](Transaction& t) -> Result<void> {
      EXPECT_TRUE(map_role(app_, dialect, name, role.id, t, now())) << dialect << " " << name;
      return {};
    });
  }
  std::string role_behind(std::string_view dialect, std::string_view name) {
    const auto role =
        read_returning(*store_, [&](Transaction& t) { return find_role_by_alias(app_, dialect, name, t); });
    if (!role) {
      EXPECT_EQ(error_of(role), "unknown_role role");
      return "";
    }
    return role->name;
  }
  std::string name_of(std::string_view dialect, const Role& role) {
    return *read_returning(*store_,
                           [&](Transaction& t) -> Result<std::string> { return alias_of(app_, dialect, role.id, t); });
  }
};

TEST_F(RoleAliasTest, ANameStandsForARoleInItsDialectAndAppOnly) {
  map("base44", "admin", administrator_);
  map("base44-runtime", "admin", user_);
  EXPECT_EQ(role_behind("base44", "admin"), "Administrator");
  EXPECT_EQ(role_behind("base44-runtime", "admin"), "User");
  EXPECT_EQ(role_behind("medusa", "admin"), "");
  EXPECT_EQ(role_behind("base44", "user"), "");
  EXPECT_EQ(role_behind("base44", "Admin"), "") << "nothing is guessed";
  EXPECT_EQ(role_behind("base44", ""), "");
  App other;
  write([&](Transaction& t) -> Result<void> {
    other = *add_app("Ferry", "https://ferry.example.org", "en", t, now());
    return {};
  });
  EXPECT_FALSE(
      read_returning(*store_, [&](Transaction& t) { return find_role_by_alias(other, "base44", "admin", t); }));
}

TEST_F(RoleAliasTest, ARoleIsCalledByItsFirstNameAndByDefaultOnlyWhereItHasNoOther) {
  EXPECT_EQ(name_of("medusa", user_), "");
  map("medusa", "default", user_);
  EXPECT_EQ(name_of("medusa", user_), "default");
  map("medusa", "member", user_);
  map("medusa", "author", user_);
  EXPECT_EQ(name_of("medusa", user_), "author");
  EXPECT_EQ(name_of("gorules", user_), "");
  map("medusa", "author", planner_);
  EXPECT_EQ(name_of("medusa", user_), "member");
}

TEST_F(RoleAliasTest, MappedAnewItStandsForTheNewRoleAndUnmappedForNothing) {
  map("gorules", "editor", user_);
  map("gorules", "editor", planner_);
  EXPECT_EQ(role_behind("gorules", "editor"), "Planner");
  write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(unmap_role(app_, "gorules", "editor", t, now()));
    EXPECT_EQ(error_of(unmap_role(app_, "gorules", "editor", t, now())), "not_found name");
    return {};
  });
  EXPECT_EQ(role_behind("gorules", "editor"), "");
}

}  // namespace
}  // namespace invited::domain
