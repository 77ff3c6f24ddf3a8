#include "http/api/object_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace invited::http {
namespace {

using Texts = std::vector<std::string>;

/// The sentences of the issues with a body that has one member of each kind.
Texts issues_of(const Json& json) {
  FieldIssues issues;
  ObjectReader body(json, issues);
  static_cast<void>(body.required<std::string>("email"));
  static_cast<void>(body.optional<std::string>("name"));
  static_cast<void>(body.nullable<Texts>("roles"));
  static_cast<void>(body.nullable<Json>("metadata"));
  static_cast<void>(body.optional<bool>("owner"));
  static_cast<void>(body.optional<std::int64_t>("page"));
  static_cast<void>(body.optional<double>("share"));
  body.refuse_others();
  Texts sentences;
  for (const FieldIssue& issue : issues) sentences.push_back(describe(issue));
  return sentences;
}

TEST(ObjectReader, TakesMembersOfEveryType) {
  const Json json{{"email", "a@b.c"}, {"roles", {"x", "y"}}, {"metadata", {{"k", 1}}},
                  {"owner", true},    {"page", -3},          {"share", 0.5}};
  FieldIssues issues;
  ObjectReader body(json, issues);
  EXPECT_EQ(body.required<std::string>("email"), "a@b.c");
  EXPECT_EQ(body.required<Texts>("roles"), (Texts{"x", "y"}));
  EXPECT_EQ(body.required<Json>("metadata"), (Json{{"k", 1}}));
  EXPECT_EQ(body.required<bool>("owner"), true);
  EXPECT_EQ(body.required<std::int64_t>("page"), -3);
  EXPECT_EQ(body.required<double>("share"), 0.5);
  body.refuse_others();
  EXPECT_TRUE(issues.empty());
}

TEST(ObjectReader, TellsAbsentFromNull) {
  const Json json{{"none", nullptr}};
  FieldIssues issues;
  ObjectReader body(json, issues);
  EXPECT_EQ(body.optional<std::string>("absent"), std::nullopt);
  EXPECT_EQ(body.nullable<std::string>("absent"), std::nullopt);
  EXPECT_EQ(body.nullable<std::string>("none"), std::nullopt);
  EXPECT_TRUE(issues.empty());
  EXPECT_EQ(body.optional<std::string>("none"), std::nullopt);
  EXPECT_EQ(body.required<std::string>("none"), "");
  EXPECT_EQ(body.required<std::string>("absent"), "");
  ASSERT_EQ(issues.size(), 3U);
  EXPECT_EQ(issues[0].kind, FieldIssue::Kind::null);
  EXPECT_EQ(issues[1].kind, FieldIssue::Kind::null);
  EXPECT_EQ(issues[2].kind, FieldIssue::Kind::missing);
}

TEST(ObjectReader, CollectsEverythingThatIsWrong) {
  struct Case {
    Json json;
    Texts sentences;
  };
  for (const Case& c : {
           Case{Json::object(), {R"("email" is missing.)"}},
           Case{{{"email", nullptr}}, {R"("email" must not be null.)"}},
           Case{{{"email", 5}}, {R"("email" must be of type string, not integer.)"}},
           Case{{{"email", 5.5}}, {R"("email" must be of type string, not number.)"}},
           Case{{{"email", Json::array({"a@b.c"})}}, {R"("email" must be of type string, not array.)"}},
           Case{{{"email", "x"}, {"roles", Json::array({"a", 1, nullptr})}},
                {R"("roles.1" must be of type string, not integer.)", R"("roles.2" must not be null.)"}},
           Case{{{"email", "x"},
                 {"roles", "a"},
                 {"metadata", Json::array()},
                 {"owner", "yes"},
                 {"page", 1.5},
                 {"share", "1"}},
                {R"("roles" must be of type array, not string.)", R"("metadata" must be of type object, not array.)",
                 R"("owner" must be of type boolean, not string.)", R"("page" must be of type integer, not number.)",
                 R"("share" must be of type number, not string.)"}},
           Case{{{"email", "x"}, {"page", 18446744073709551615U}}, {R"("page" must be of type integer, not integer.)"}},
           Case{{{"foo", 1}, {"email", "x"}, {"bar", 2}},
                {R"(The body has members that are not known here: "foo", "bar".)"}},
           Case{Json::array(), {"The body must be of type object, not array."}},
           Case{nullptr, {"The body must be of type object, not null."}},
           Case{"x", {"The body must be of type object, not string."}},
       })
    EXPECT_EQ(issues_of(c.json), c.sentences) << c.json;
}

TEST(ObjectReader, AnIssueHoldsWhatADialectNeedsForItsWords) {
  const Json json{{"roles", {"a", 5}}};
  FieldIssues issues;
  ObjectReader body(json, issues, {"invites", "0"});
  static_cast<void>(body.required<Texts>("roles"));
  ASSERT_EQ(issues.size(), 1U);
  EXPECT_EQ(issues[0].path, (Texts{"invites", "0", "roles", "1"}));
  EXPECT_EQ(issues[0].dotted_path(", "), "invites, 0, roles, 1");
  EXPECT_EQ(issues[0].expected, "string");
  EXPECT_EQ(issues[0].got, 5);
}

TEST(ObjectReader, IgnoresOtherMembersUnlessToldToRefuseThem) {
  const Json json{{"email", "x"}, {"foo", 1}};
  FieldIssues issues;
  ObjectReader body(json, issues);
  EXPECT_EQ(body.required<std::string>("email"), "x");
  EXPECT_TRUE(issues.empty());
  body.refuse_others();
  ASSERT_EQ(issues.size(), 1U);
  EXPECT_EQ(issues[0].names, Texts{"foo"});
}

}  // namespace
}  // namespace invited::http
