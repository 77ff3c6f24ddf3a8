// The route table of the program, as far as it decides something itself: what probes are told.
#include "routes.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>

#include "domain/use_case_fixture.h"

namespace invited {
namespace {

class RoutesTest : public domain::UseCaseTest {
 protected:
  /// Status, text, and whether it may be kept.
  std::string get(std::string_view path) const {
    const auto match = router_.match("GET", path);
    const http::Response response = match.route->handler({});
    return std::to_string(response.status) + " " + std::string(response.headers.get("Cache-Control")) + " " +
           response.body;
  }

  std::atomic<bool> draining_{false};
  soap::Engine engine_;
  http::Router router_ = make_routes(
      {.context = *context_,
       .engine = engine_,
       .public_url = "https://invite.example.org",
       .csrf_key = base::Secret(std::string(32, 'c')),
       .renderer = std::make_shared<const http::PageRenderer>("https://invite.example.org", base::Language::en),
       .draining = draining_});
};

TEST_F(RoutesTest, AServiceThatTakesWritesIsReady) {
  EXPECT_EQ(get("/readyz"), "200 no-store ready\n");
  EXPECT_EQ(get("/healthz"), "200 no-store alive\n");
}

TEST_F(RoutesTest, OneThatStopsIsNotReadyAndAlive) {
  draining_ = true;
  EXPECT_EQ(get("/readyz"), "503 no-store not ready: stopping\n");
  EXPECT_EQ(get("/healthz"), "200 no-store alive\n");
}

TEST_F(RoutesTest, OneWhoseDatabaseTakesNoWritesIsNotReadyAndAlive) {
  store_->drain();
  EXPECT_EQ(get("/readyz"), "503 no-store not ready: the database takes no writes\n");
  EXPECT_EQ(get("/healthz"), "200 no-store alive\n");
}

}  // namespace
}  // namespace invited
