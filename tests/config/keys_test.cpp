#include "keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "durable_file.h"
#include "support/temporary_directory.h"

namespace invited {
namespace {

using testing::HasSubstr;

class KeysTest : public testing::Test {
 protected:
  std::string file() const { return directory_ / kKeyFileName; }
  std::string content() const {
    std::ifstream stream(file());
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  void write(const std::string& text, mode_t mode = 0600) {
    std::ofstream(file()) << text;
    ASSERT_EQ(::chmod(file().c_str(), mode), 0);
  }

  test::TemporaryDirectory directory_;
};

TEST_F(KeysTest, TheVeryFirstStartMakesThemReadableByTheirOwnerOnly) {
  const auto keys = load_or_create_keys(directory_.path(), /*database_exists=*/false);
  ASSERT_TRUE(keys) << keys.error();
  EXPECT_EQ(keys->token_keys.keys.size(), 1U);
  EXPECT_EQ(keys->token_keys.keys.front().key.reveal().size(), 32U);
  EXPECT_EQ(keys->token_keys.epoch, 1U);
  EXPECT_EQ(keys->pepper.reveal().size(), 32U);
  EXPECT_EQ(keys->csrf_key.reveal().size(), 32U);
  EXPECT_NE(keys->pepper.reveal(), keys->csrf_key.reveal());
  struct stat status{};
  ASSERT_EQ(::stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  // Nothing else is left in the folder.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_.path()), {}), 1);
}

TEST_F(KeysTest, LaterStartsReadTheSame) {
  const auto first = load_or_create_keys(directory_.path(), false);
  const auto second = load_or_create_keys(directory_.path(), true);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->pepper.reveal(), second->pepper.reveal());
  EXPECT_EQ(first->csrf_key.reveal(), second->csrf_key.reveal());
  EXPECT_EQ(first->token_keys.keys.front().key.reveal(), second->token_keys.keys.front().key.reveal());
}

TEST_F(KeysTest, ManyThatStartAtTheSameMomentShareOneFile) {
  std::vector<std::string> peppers(8);
  {
    std::vector<std::jthread> starts;
    for (std::string& pepper : peppers)
      starts.emplace_back([&] {
        const auto keys = load_or_create_keys(directory_.path(), false);
        if (keys) pepper = keys->pepper.reveal();
      });
  }
  for (const std::string& pepper : peppers) EXPECT_EQ(pepper, load_keys(directory_.path())->pepper.reveal());
}

TEST_F(KeysTest, O12MissingBesideADatabaseRefusesAndSaysRestore) {
  const auto keys = load_or_create_keys(directory_.path(), /*database_exists=*/true);
  ASSERT_FALSE(keys);
  EXPECT_THAT(keys.error(), HasSubstr("restore it from your backup"));
  EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(KeysTest, O12ReadableByOthersRefusesAndSaysHowToMend) {
  ASSERT_TRUE(load_or_create_keys(directory_.path(), false));
  for (const mode_t mode : {0640, 0604, 0660, 0666, 0620}) {
    ASSERT_EQ(::chmod(file().c_str(), mode), 0);
    const auto keys = load_keys(directory_.path());
    ASSERT_FALSE(keys) << std::oct << mode;
    EXPECT_THAT(keys.error(), HasSubstr("chmod 600"));
  }
}

TEST_F(KeysTest, O12EmptyOrDamagedRefusesAndNothingIsMadeAnew) {
  ASSERT_TRUE(load_or_create_keys(directory_.path(), false));
  const std::string whole = content();
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = whole;
    const std::size_t at = changed.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return changed.replace(at, from.size(), to);
  };
  for (const std::string& text :
       {std::string(), std::string("{}"), std::string("null"), whole.substr(0, whole.size() / 2),
        with("\"version\": 1", "\"version\": 2"), with("\"epoch\": 1", "\"epoch\": -1"),
        with("\"epoch\": 1", "\"epoch\": 4294967296"), with("\"id\": 1", "\"id\": 256"),
        with("\"pepper\": \"", "\"pepper\": \"A"), with("\"pepper\"", "\"salt\""), with("\"csrf_key\"", "\"csrf\""),
        with("\"token_keys\"", "\"keys\""), std::string(100'000, ' ')}) {
    write(text);
    for (const bool database_exists : {false, true}) {
      const auto keys = load_or_create_keys(directory_.path(), database_exists);
      ASSERT_FALSE(keys) << text;
      EXPECT_THAT(keys.error(), HasSubstr("restore it from your backup"));
    }
    EXPECT_EQ(content(), text);
  }
}

TEST_F(KeysTest, EveryTruncationIsNoticed) {
  ASSERT_TRUE(load_or_create_keys(directory_.path(), false));
  const std::string whole = content();
  const std::size_t last_brace = whole.rfind('}');
  for (std::size_t size = 0; size <= last_brace; ++size) {
    write(whole.substr(0, size));
    EXPECT_FALSE(load_keys(directory_.path())) << size;
  }
}

TEST_F(KeysTest, AFileThatIsThereIsNeverWrittenOver) {
  ASSERT_TRUE(create_file_durably(file(), "first"));
  ASSERT_TRUE(create_file_durably(file(), "second"));
  EXPECT_EQ(content(), "first");
}

TEST_F(KeysTest, AFolderThatCannotBeWrittenIsNamed) {
  const auto written = create_file_durably(directory_.path() / "none" / "file", "x");
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error(), HasSubstr("none"));
}

}  // namespace
}  // namespace invited
