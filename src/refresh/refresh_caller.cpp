#include "refresh/refresh_caller.h"

#include <curl/curl.h>

#include <array>
#include <memory>
#include <mutex>
#include <new>

#include "refresh/refresh_answer.h"

namespace invited::refresh {
namespace {

using domain::RefreshOutcome;

struct Free {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Handle = std::unique_ptr<CURL, Free>;
using Headers = std::unique_ptr<curl_slist, Free>;

/// An answer as it comes in.
struct Answer {
  std::string body;
  std::size_t size = 0;  ///< headers included
  const std::atomic<bool>* interrupted = nullptr;

  bool is_too_long() const { return size > kMaxAnswer; }

  /// Returning less than `size` ends the call.
  static std::size_t on_header(char*, std::size_t, std::size_t size, void* self) {
    auto& answer = *static_cast<Answer*>(self);
    answer.size += size;
    return answer.is_too_long() ? 0 : size;
  }

  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self) noexcept try {
    auto& answer = *static_cast<Answer*>(self);
    answer.size += size;
    if (answer.is_too_long()) return 0;
    answer.body.append(data, size);
    return size;
  } catch (const std::bad_alloc&) {
    return 0;
  }

  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Answer*>(self)->interrupted->load() ? 1 : 0;
  }
};

Headers make_headers(const RefreshMessage& message) {
  Headers headers;
  const auto add = [&](const std::string& line) {
    curl_slist* head =
        curl_slist_append(headers.get(), line.c_str());  // the head stays where it was, once there is one
    if (head == nullptr) throw std::bad_alloc();
    if (!headers) headers.reset(head);
  };
  add("Content-Type: text/xml; charset=utf-8");
  add("SOAPAction: " + message.soap_action);
  add("Accept: text/xml");
  add("Expect:");  // takes away libcurl's own, which would wait for a server that does not know it
  return headers;
}

void configure(CURL* curl, const Settings& settings) {
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  curl_easy_setopt(curl, CURLOPT_PROXY, "");  // whatever the environment says
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "invited/" INVITED_VERSION);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);  // a name server that hangs must not hold us beyond the timeout
  curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!settings.ca_file.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, settings.ca_file.c_str());
    curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
  }
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings.connect_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(settings.timeout.count()));
}

}  // namespace

RefreshCaller::RefreshCaller(const Settings& settings) : settings_(settings) {
  static std::once_flag initialised;
  std::call_once(initialised, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

CallEnd RefreshCaller::call(const std::string& url, const RefreshMessage& message) {
  const Handle handle(curl_easy_init());
  if (!handle) throw std::bad_alloc();
  const Headers headers = make_headers(message);
  CURL* curl = handle.get();
  Answer answer;
  answer.interrupted = &interrupted_;
  std::array<char, CURL_ERROR_SIZE> error{};
  configure(curl, settings_);
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_POST, 1L);
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, message.envelope.data());
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(message.envelope.size()));
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error.data());
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &Answer::on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &answer);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &Answer::on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &Answer::on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &answer);

  const CURLcode code = curl_easy_perform(curl);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  const int http_status = static_cast<int>(status);
  if (code == CURLE_OK) return {CallEnd::How::answered, judge_answer(http_status, answer.body)};
  if (code == CURLE_ABORTED_BY_CALLBACK)
    return {CallEnd::How::interrupted,
            {RefreshOutcome::deferred, http_status, "broken off because the service is stopping"}};
  if (answer.is_too_long())
    return {CallEnd::How::no_answer,
            {RefreshOutcome::deferred, http_status,
             "the answer is longer than " + std::to_string(kMaxAnswer / 1024) + " KiB"}};
  return {CallEnd::How::no_answer,
          {RefreshOutcome::deferred, http_status,
           one_line(error.front() != '\0' ? error.data() : curl_easy_strerror(code))}};
}

}  // namespace invited::refresh
