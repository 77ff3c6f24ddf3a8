#include "domain/related_rows.h"

#include "domain/caller_fixture.h"

namespace invited::domain {
namespace {

class RelatedRowsTest : public CallerTest {};

TEST_F(RelatedRowsTest, EachRowIsLookedUpOnceForOneAnswer) {
  write([&](Transaction& t) -> Result<void> {
    const RelatedRows related(t);
    const base::Uuid nobody = base::Uuid::random();
    Account grace = *account("grace@example.org");
    const std::string name = grace.name;
    EXPECT_EQ(related.account(grace.id)->name, name);
    EXPECT_EQ(related.role(app_.id, user_.id)->name, "User");
    EXPECT_EQ(related.app_of(related.environment(environment_.id))->name, app_.name);
    EXPECT_EQ(related.role_alias(app_, "medusa", user_.id), "");
    EXPECT_FALSE(related.account(nobody));

    // What is asked for again must not be asked of the database again: it has changed there meanwhile.
    grace.name = "Somebody Else";
    t.update(grace);
    Role role = user_;
    role.name = "Guest";
    t.update(role);
    EXPECT_TRUE(map_role(app_, "medusa", "member", user_.id, t, now()));
    Account newcomer = grace;
    newcomer.id = nobody;
    newcomer.email = *EmailAddress::parse("newcomer@example.org");
    t.insert(newcomer);
    EXPECT_EQ(related.account(grace.id)->name, name);
    EXPECT_EQ(related.role(app_.id, user_.id)->name, "User");
    EXPECT_EQ(related.role_alias(app_, "medusa", user_.id), "");
    EXPECT_FALSE(related.account(nobody));

    const RelatedRows next_answer(t);
    EXPECT_EQ(next_answer.account(grace.id)->name, "Somebody Else");
    EXPECT_EQ(next_answer.role(app_.id, user_.id)->name, "Guest");
    EXPECT_EQ(next_answer.role_alias(app_, "medusa", user_.id), "member");
    EXPECT_TRUE(next_answer.account(nobody));
    return {};
  });
}

TEST_F(RelatedRowsTest, RowsOfDifferentThingsAreNotMistakenForOneAnother) {
  write([&](Transaction& t) -> Result<void> {
    const RelatedRows related(t);
    const App other = *add_app("Ferry", "https://ferry.example.org", "en", t, now());
    EXPECT_TRUE(map_role(app_, "medusa", "member", user_.id, t, now()));
    EXPECT_TRUE(related.role(app_.id, user_.id));
    EXPECT_FALSE(related.role(other.id, user_.id));
    EXPECT_EQ(related.role(app_.id, administrator_.id)->name, "Administrator");
    EXPECT_EQ(related.role_alias(app_, "medusa", user_.id), "member");
    EXPECT_EQ(related.role_alias(app_, "gorules", user_.id), "");
    EXPECT_FALSE(related.app_of(std::nullopt));
    return {};
  });
}

}  // namespace
}  // namespace invited::domain
