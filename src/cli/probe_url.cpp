#include "cli/probe_url.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <utility>

namespace invited::cli {

namespace {

struct Cleanup {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using Handle = std::unique_ptr<CURL, Cleanup>;

Handle make_handle(const std::string& url) {
  Handle curl(curl_easy_init());
  if (!curl) return curl;
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, 10L);
  return curl;
}

/// Empty where it went well.
std::string perform(CURL* curl) {
  std::array<char, CURL_ERROR_SIZE> reason{};
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason.data());
  const CURLcode code = curl_easy_perform(curl);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, nullptr);
  if (code == CURLE_OK) return {};
  return reason.front() != '\0' ? reason.data() : curl_easy_strerror(code);
}

constexpr std::size_t kMostOfAnswer = 100;
constexpr const char* kNoCurl = "libcurl cannot be started";

}  // namespace

Parsed<Probed> probe_url(const std::string& url) {
  const Handle curl = make_handle(url);
  if (!curl) return std::unexpected(std::string(kNoCurl));
  Probed probed;
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &probed.begin);
  curl_easy_setopt(
      curl.get(), CURLOPT_WRITEFUNCTION, +[](char* bytes, std::size_t size, std::size_t count, void* begin) {
        auto& text = *static_cast<std::string*>(begin);
        text.append(bytes, std::min(size * count, kMostOfAnswer - text.size()));
        return size * count;
      });
  if (auto reason = perform(curl.get()); !reason.empty()) return std::unexpected(std::move(reason));
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &probed.status);
  return probed;
}

std::string probe_connection(const std::string& url, const std::filesystem::path& ca_file) {
  const Handle curl = make_handle(url);
  if (!curl) return kNoCurl;
  curl_easy_setopt(curl.get(), CURLOPT_CONNECT_ONLY, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(curl.get(), CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!ca_file.empty()) {
    curl_easy_setopt(curl.get(), CURLOPT_CAINFO, ca_file.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_CAPATH, nullptr);
  }
  return perform(curl.get());
}

}  // namespace invited::cli
