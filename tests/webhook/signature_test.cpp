#include "webhook/signature.h"

#include <gtest/gtest.h>

#include "base/crypto.h"

namespace invited::webhook {
namespace {

// The example that the libraries of standardwebhooks test themselves with.
const base::Secret kSecret(*base::from_base64("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
constexpr std::string_view kId = "msg_p5jXN8AQM9LWM0D4loKWxJek";
constexpr std::string_view kTime = "1614265330";
constexpr std::string_view kPayload = R"({"test": 2432232314})";
constexpr std::string_view kSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

TEST(Signature, is_that_of_standard_webhooks) { EXPECT_EQ(sign({kSecret}, kId, kTime, kPayload), kSignature); }

TEST(Signature, depends_on_each_part) {
  EXPECT_NE(sign({kSecret}, "msg_q", kTime, kPayload), kSignature);
  EXPECT_NE(sign({kSecret}, kId, "1614265331", kPayload), kSignature);
  EXPECT_NE(sign({kSecret}, kId, kTime, "{}"), kSignature);
  EXPECT_NE(sign({base::Secret("another")}, kId, kTime, kPayload), kSignature);
}

TEST(Signature, of_several_secrets_is_several) {
  const base::Secret old("another");
  EXPECT_EQ(sign({kSecret, old}, kId, kTime, kPayload),
            std::string(kSignature) + ' ' + sign({old}, kId, kTime, kPayload));
}

TEST(Signature, has_its_time_in_whole_seconds) {
  EXPECT_EQ(timestamp_text(base::Timestamp(std::chrono::milliseconds(1'614'265'330'999))), kTime);
}

}  // namespace
}  // namespace invited::webhook
