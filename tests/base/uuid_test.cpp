#include "base/uuid.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

namespace invited::base {
namespace {

constexpr const char* kText = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";

TEST(Uuid, NormalisesLetterCaseBracesAndBlanks) {
  for (const char* text : {"0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0", "0F1E2D3C-4B5A-6978-8796-A5B4C3D2E1F0",
                           "{0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0}", " \t0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0\r\n",
                           "\n{0F1E2d3c-4b5a-6978-8796-A5B4C3D2E1F0} "}) {
    const auto uuid = Uuid::parse(text);
    ASSERT_TRUE(uuid) << text;
    EXPECT_EQ(uuid->to_string(), kText) << text;
  }
}

TEST(Uuid, RefusesEverythingElse) {
  for (const char* text : {"", " ", "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f", "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f00",
                           "0f1e2d3c4b5a69788796a5b4c3d2e1f0", "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1g0",
                           "{0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0", "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0}",
                           "{{0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0}}", "0f1e2d3c_4b5a-6978-8796-a5b4c3d2e1f0",
                           "0f1e2d3-c4b5a-6978-8796-a5b4c3d2e1f0", "{ 0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0 }",
                           "urn:uuid:0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"})
    EXPECT_FALSE(Uuid::parse(text)) << text;
}

TEST(Uuid, RefusesAWrongCharacterWhereverItStands) {
  for (std::size_t i = 0; i < std::string_view(kText).size(); ++i)
    for (const char wrong : {'g', 'G', '-', '0', '/', ':', '@', '`', '\xE9', '\0'}) {
      std::string text = kText;
      const bool is_hyphen = text[i] == '-';
      text[i] = wrong;
      EXPECT_EQ(Uuid::parse(text).has_value(), is_hyphen ? wrong == '-' : wrong == '0') << i << ' ' << wrong;
    }
}

TEST(Uuid, RandomOnesAreVersion4AndDiffer) {
  std::set<Uuid> seen;
  for (int i = 0; i < 1000; ++i) {
    const Uuid uuid = Uuid::random();
    EXPECT_EQ(uuid.to_string()[14], '4');
    EXPECT_TRUE(seen.insert(uuid).second);
  }
}

TEST(Uuid, ThreadsDoNotShareTheirRandomness) {
  std::vector<Uuid> all(4 * 500);
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (std::size_t i = 0; i < 500; ++i) all[t * 500 + i] = Uuid::random();
      });
  }
  EXPECT_EQ(std::set<Uuid>(all.begin(), all.end()).size(), all.size());
}

TEST(Uuid, OrderedOnesSortByTime) {
  const Timestamp time{std::chrono::milliseconds(1'800'000'000'000)};
  const Uuid earlier = Uuid::ordered(time);
  const Uuid later = Uuid::ordered(time + std::chrono::milliseconds(1));
  EXPECT_EQ(earlier.to_string()[14], '7');
  EXPECT_LT(earlier, later);
  EXPECT_LT(earlier.to_string(), later.to_string());
}

TEST(Uuid, GoesThroughBytes) {
  const Uuid uuid = Uuid::random();
  EXPECT_EQ(Uuid::from_bytes(uuid.to_bytes()), uuid);
  EXPECT_EQ(Uuid::from_bytes("short"), std::nullopt);
  EXPECT_TRUE(Uuid{}.is_nil());
  EXPECT_FALSE(uuid.is_nil());
}

}  // namespace
}  // namespace invited::base
