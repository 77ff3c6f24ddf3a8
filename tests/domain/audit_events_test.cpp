#include "domain/audit_events_fixture.h"

namespace invited::domain {

TEST_P(AuditEventsTest, AreWrittenForWhatChangesAndForNothingElse) {
  auto expected = std::get<Row>(GetParam()).run(*this);
  EXPECT_THAT(written(), testing::UnorderedElementsAreArray(expected));
}

}  // namespace invited::domain
