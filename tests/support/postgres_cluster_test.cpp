// The fixture itself: what tests rely on when they break a server, and that nothing of it stays behind.
#include "support/postgres_cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

namespace invited::test {
namespace {

using namespace std::chrono_literals;

std::string value(const std::string& url, const std::string& sql) {
  return postgres_query(url, sql).at(0).at(0).value_or("NULL");
}

class PostgresClusterTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = PostgresCluster::why_not()) GTEST_SKIP() << *reason;
  }
};

TEST_F(PostgresClusterTest, EachDatabaseIsFreshAndItsOwnerIsNoSuperuser) {
  const PostgresDatabase one;
  const PostgresDatabase other;
  postgres_query(one.url(), "CREATE TABLE t (n int)");
  EXPECT_THROW(postgres_query(other.url(), "SELECT n FROM t"), std::runtime_error);
  EXPECT_EQ(value(one.url(), "SHOW is_superuser"), "off");
  EXPECT_EQ(value(one.admin_url(), "SHOW is_superuser"), "on");
  EXPECT_EQ(value(one.url(), "SHOW fsync"), "on");
  EXPECT_EQ(value(one.url(), "SHOW server_encoding"), "UTF8");
}

TEST_F(PostgresClusterTest, WhatWasCommittedSurvivesRestartsAndKill) {
  PostgresCluster cluster({.settings = {{"deadlock_timeout", "123ms"}}});
  const std::string url = cluster.create_database();
  EXPECT_EQ(value(url, "SHOW deadlock_timeout"), "123ms");
  postgres_query(url, "CREATE TABLE t (n int); INSERT INTO t VALUES (7)");
  cluster.restart(PostgresCluster::Stop::kFast);
  EXPECT_EQ(value(url, "SELECT n FROM t"), "7");
  cluster.restart(PostgresCluster::Stop::kImmediate);
  EXPECT_EQ(value(url, "SELECT n FROM t"), "7");
  cluster.kill();
  EXPECT_THROW(postgres_query(url, "SELECT n FROM t"), std::runtime_error);
  cluster.set("deadlock_timeout", "321ms");
  cluster.start();
  EXPECT_EQ(value(url, "SELECT n FROM t"), "7");
  EXPECT_EQ(value(url, "SHOW deadlock_timeout"), "321ms");
}

TEST_F(PostgresClusterTest, NothingStaysBehindWhenItsOwnerCrashes) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const PostgresCluster cluster;
    const std::string data = cluster.data();
    if (::write(ends[1], data.c_str(), data.size()) > 0) ::raise(SIGKILL);
    ::_exit(1);
  }
  ::close(ends[1]);
  char text[256] = {};
  EXPECT_GT(::read(ends[0], text, sizeof text - 1), 0);
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  const auto folder = std::filesystem::path(text).parent_path();
  for (const auto end = std::chrono::steady_clock::now() + 20s; std::filesystem::exists(folder);) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << folder;
    std::this_thread::sleep_for(10ms);  // no event tells of the end of a process that is not our child
  }
}

}  // namespace
}  // namespace invited::test
