// Admin commands on a real store: the use cases' fixture and an AdminContext over it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "admin/admin_commands.h"
#include "domain/use_case_fixture.h"

namespace invited::admin {

class AdminTest : public domain::UseCaseTest {
 protected:
  Json answer(const std::string& command, Json arguments = Json::object()) {
    return execute({{"command", command}, {"arguments", std::move(arguments)}}, admin_);
  }

  /// The result; the test fails where there is an error.
  Json result(const std::string& command, Json arguments = Json::object()) {
    Json given = answer(command, std::move(arguments));
    EXPECT_TRUE(given.contains("result")) << command << ": " << given.dump();
    return given.contains("result") ? given["result"] : Json();
  }

  /// "code parameter" of the error that is expected.
  std::string error(const std::string& command, Json arguments = Json::object()) {
    const Json given = answer(command, std::move(arguments));
    EXPECT_TRUE(given.contains("error")) << command << ": " << given.dump();
    if (!given.contains("error")) return {};
    EXPECT_FALSE(given["error"]["message"].get<std::string>().empty());
    return given["error"]["code"].get<std::string>() + " " + given["error"]["parameter"].get<std::string>();
  }

  int environments_changed_ = 0;
  int refresh_retried_ = 0;
  AdminContext admin_{*store_,
                      clock_,
                      policy_,
                      authenticator_->pepper(),
                      hasher_,
                      "https://invite.example.com",
                      [this] { ++environments_changed_; },
                      [this] { ++mail_queued_; },
                      [this] { ++refresh_queued_; },
                      [this] { ++refresh_retried_; }};
};

}  // namespace invited::admin
