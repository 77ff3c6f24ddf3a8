#include "webhook/signature.h"

#include "base/crypto.h"

namespace invited::webhook {

std::string sign(const std::vector<base::Secret>& secrets, std::string_view id, std::string_view timestamp,
                 std::string_view payload) {
  std::string content(id);
  content.append(".").append(timestamp).append(".").append(payload);
  std::string signatures;
  for (const base::Secret& secret : secrets) {
    if (!signatures.empty()) signatures += ' ';
    signatures += "v1," + base::to_base64(base::hmac_sha256(secret.reveal(), content));
  }
  return signatures;
}

std::string timestamp_text(base::Timestamp time) {
  return std::to_string(std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
}

}  // namespace invited::webhook
