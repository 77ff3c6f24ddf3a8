// What child and test agree on: the same app, role, environment and inviter in every process, and numbered invitees.
#pragma once

#include <string>

#include "support/sample_data.h"

namespace invited::test {

inline SampleWorld fixed_world() {
  SampleWorld world;
  world.app.id = base::Uuid::parse("00000000-0000-4000-8000-000000000001").value();
  world.role.app_id = world.app.id;
  world.role.id = base::Uuid::parse("00000000-0000-4000-8000-000000000002").value();
  world.environment.app_id = world.app.id;
  world.environment.id = base::Uuid::parse("00000000-0000-4000-8000-000000000003").value();
  world.inviter.id = base::Uuid::parse("00000000-0000-4000-8000-000000000004").value();
  return world;
}

inline std::string numbered_address(long number) { return "n" + std::to_string(number) + "@example.com"; }

}  // namespace invited::test
