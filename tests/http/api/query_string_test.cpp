#include "http/api/query_string.h"

#include <gtest/gtest.h>

#include <string>

namespace invited::http {
namespace {

TEST(QueryString, IsAListOfFields) {
  const auto fields = parse_query("search=Jos%C3%A9+Garc%c3%ada&page=2&flag&&empty=&search=b%3D%26");
  ASSERT_TRUE(fields);
  EXPECT_EQ(*fields,
            (QueryFields{{"search", "José García"}, {"page", "2"}, {"flag", ""}, {"empty", ""}, {"search", "b=&"}}));
  EXPECT_EQ(parse_query(""), QueryFields{});
}

TEST(QueryString, ASingleFieldIsNotTakenFromTwo) {
  const QueryFields fields{{"page", "2"}, {"search", "a"}, {"search", "b"}};
  EXPECT_EQ(*single_field(fields, "page"), "2");
  EXPECT_EQ(*single_field(fields, "perPage"), std::nullopt);
  EXPECT_EQ(single_field(fields, "search").error(), "\"search\" is given more than once.");
}

std::string many(std::size_t count, std::string_view name) {
  std::string query;
  for (std::size_t i = 0; i < count; ++i) query.append(name).append("=x&");
  return query;
}

TEST(QueryString, RefusesWhatIsNoText) {
  for (const std::string query :
       {"a=%", "a=%4", "a=%zz", "%=1", "a=%ff", "a=%c0%af", "a=%ed%a0%80", "a=x%00y", "%00=x"})
    EXPECT_EQ(parse_query(query).error(), "The query holds an escape that is no text in UTF-8.") << query;
  EXPECT_TRUE(parse_query(many(100, "a")));
  EXPECT_EQ(parse_query(many(101, "a")).error(), "The query has too many fields.");
}

TEST(QueryString, IsNestedAsQsWritesIt) {
  const std::pair<const char*, const char*> cases[]{
      {"", "{}"},
      {"limit=10&offset=0", R"({"limit":"10","offset":"0"})"},
      {"email[0]=a&email[1]=b", R"({"email":["a","b"]})"},
      {"email%5B0%5D=a&email%5B1%5D=b", R"({"email":["a","b"]})"},
      {"email[0]=a", R"({"email":["a"]})"},
      {"email[7]=a&email[2]=b", R"({"email":["a","b"]})"},
      {"email=a&email=b", R"({"email":["a","b"]})"},
      {"email[]=a", R"({"email":["a"]})"},
      {"email[]=a&email[]=b", R"({"email":["a","b"]})"},
      {"fields[]=id,email", R"({"fields":["id,email"]})"},
      {"created_at[$gte]=2026-01-01", R"({"created_at":{"$gte":"2026-01-01"}})"},
      {"created_at%5B%24gte%5D=2026-01-01T00%3A00%3A00.000Z&created_at[$lt]=x",
       R"({"created_at":{"$gte":"2026-01-01T00:00:00.000Z","$lt":"x"}})"},
      {"$or[0][email]=x&$or[1][email]=y", R"({"$or":[{"email":"x"},{"email":"y"}]})"},
      {"$or[0][email][$in][0]=x&$or[0][email][$in][1]=y", R"({"$or":[{"email":{"$in":["x","y"]}}]})"},
      {"a.b=1&a.c=2", R"({"a":{"b":"1","c":"2"}})"},
      {"a.b[c]=1", R"({"a":{"b":{"c":"1"}}})"},
      {"0=x", R"({"0":"x"})"},
      {"a=", R"({"a":""})"},
  };
  for (const auto& [query, json] : cases) {
    const auto parsed = parse_nested_query(query);
    ASSERT_TRUE(parsed) << query << ": " << parsed.error();
    EXPECT_EQ(parsed->dump(), json) << query;
  }
}

TEST(QueryString, RefusesNamesThatCanBeReadInTwoWays) {
  const std::string malformed = "The query has a field whose name is malformed or too deep.";
  const std::pair<std::string, std::string> cases[]{
      {"a[b=1", malformed},
      {"a]b=1", R"({"a]b":"1"})"},
      {"a[b]c=1", malformed},
      {"a[b[c]]=1", malformed},
      {"[a]=1", malformed},
      {"=1", malformed},
      {".a=1", malformed},
      {"a.=1", malformed},
      {"a..b=1", malformed},
      {"a[1][2][3][4][5][6]=1", R"({"a":[[[[[["1"]]]]]]})"},
      {"a[1][2][3][4][5][6][7]=1", malformed},
      {"a=1&a[b]=2", R"("a" is given both as a value and as an object.)"},
      {"a[0]=1&a[b]=2", R"("a" is given both as a list and as an object.)"},
      {"a[]=1&a[b]=2", R"("a" is given both as a list and as an object.)"},
      {"a=%ff", "The query holds an escape that is no text in UTF-8."},
      {many(101, "a[]"), "The query has too many fields."},
  };
  for (const auto& [query, answer] : cases) {
    const auto parsed = parse_nested_query(query);
    EXPECT_EQ(parsed ? parsed->dump() : parsed.error(), answer) << query;
  }
}

}  // namespace
}  // namespace invited::http
