#include "cli/api_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string_view>
#include <thread>

namespace invited::cli {
namespace {

using domain::Error;
using domain::ErrorCode;
using domain::Result;
using Json = nlohmann::ordered_json;

constexpr int kTries = 3;
constexpr std::chrono::seconds kBetweenTries{1};
constexpr long kTimeout = 30;
constexpr std::size_t kMostAnswer = 16U << 20;

struct Cleanup {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

std::size_t take(char* bytes, std::size_t size, std::size_t count, void* answer) {
  auto& text = *static_cast<std::string*>(answer);
  if (text.size() + size * count > kMostAnswer) return 0;
  text.append(bytes, size * count);
  return size * count;
}

struct Answer {
  long status = 0;  ///< 0: none came
  std::string body;
  std::string reason;
};

Answer perform(const std::string& url, const base::Secret& token, const std::string& body, const std::string& key) {
  Answer answer;
  const std::unique_ptr<CURL, Cleanup> curl(curl_easy_init());
  std::unique_ptr<curl_slist, Cleanup> headers;
  for (const std::string& line : {std::string("Content-Type: application/json"),
                                  "Authorization: Bearer " + std::string(token.reveal()), "Idempotency-Key: " + key}) {
    curl_slist* longer = curl_slist_append(headers.get(), line.c_str());
    if (longer == nullptr) return answer;
    static_cast<void>(headers.release());
    headers.reset(longer);
  }
  std::array<char, CURL_ERROR_SIZE> reason{};
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, kTimeout);
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, body.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &take);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer.body);
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, reason.data());
  const CURLcode code = curl_easy_perform(curl.get());
  if (code == CURLE_OK) curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  answer.reason = reason.front() != '\0' ? reason.data() : curl_easy_strerror(code);
  return answer;
}

ErrorCode code_of(std::string_view text) {
  const auto found =
      std::ranges::find(domain::kErrorCodes, text, [](ErrorCode code) { return domain::to_string(code); });
  return found == domain::kErrorCodes.end() ? ErrorCode::unavailable : *found;
}

}  // namespace

Error not_as_invited(const ApiService& service, std::string_view status) {
  return {ErrorCode::unavailable,
          service.url + " answered" + std::string(status) + ", but not as invited does: is --url right?",
          {},
          std::nullopt};
}

namespace {

/// The refusal that problem details (RFC 9457) tell, or what else came.
Error error_of(const Answer& answer, const ApiService& service) {
  const auto problem = Json::parse(answer.body, nullptr, /*allow_exceptions=*/false);
  const auto text = [&](const char* member) {
    return problem.contains(member) && problem[member].is_string() ? problem[member].get<std::string>() : "";
  };
  if (!problem.is_object() || text("code").empty()) return not_as_invited(service, " " + std::to_string(answer.status));
  Error error{
      code_of(text("code")), text("detail").empty() ? "It was refused." : text("detail"), text("parameter"), {}};
  if (problem.contains("retry") && problem["retry"].is_number_unsigned())
    error.retry_after = std::chrono::seconds(problem["retry"].get<std::uint32_t>());
  return error;
}

}  // namespace

Result<Json> post_json(const ApiService& service, const std::string& path, const Json& body,
                       const std::string& idempotency_key) {
  const std::string url = service.url + path;
  const std::string text = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  Answer answer;
  for (int tries = 0; tries < kTries; ++tries) {
    if (tries > 0) std::this_thread::sleep_for(kBetweenTries);
    answer = perform(url, service.token, text, idempotency_key);
    if (answer.status != 0 && answer.status != 503) break;
  }
  if (answer.status == 0)
    return domain::refuse(ErrorCode::unavailable, url + " cannot be reached: " + answer.reason +
                                                      ". Check --url, and whether the service runs.");
  if (answer.status < 200 || answer.status >= 300) return std::unexpected(error_of(answer, service));
  auto json = Json::parse(answer.body, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return std::unexpected(error_of(answer, service));
  return json;
}

}  // namespace invited::cli
