#include "calls/http_caller.h"

#include <curl/curl.h>

#include <array>
#include <memory>
#include <mutex>
#include <new>

#include "calls/one_line.h"
#include "calls/private_address.h"

namespace invited::calls {
namespace {

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
  bool is_cut = false;   ///< the headers were complete, the body is not
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
    answer.is_cut = answer.size + size > kMaxAnswer;
    if (answer.is_cut) size = kMaxAnswer - answer.size;
    answer.size += size;
    answer.body.append(data, size);
    return answer.is_cut ? 0 : size;
  } catch (const std::bad_alloc&) {
    return 0;
  }

  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Answer*>(self)->interrupted->load() ? 1 : 0;
  }
};

/// Opens the sockets of calls to anybody but private addresses.
struct Gate {
  std::string refused;  ///< the last address that was

  static curl_socket_t on_open(void* self, curlsocktype, curl_sockaddr* address) noexcept try {
    if (is_private_address(address->addr)) {
      static_cast<Gate*>(self)->refused = address_text(address->addr);
      return CURL_SOCKET_BAD;
    }
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  } catch (const std::bad_alloc&) {
    return CURL_SOCKET_BAD;
  }
};

Headers make_headers(const HttpRequest& request) {
  Headers headers;
  const auto add = [&](const std::string& line) {
    curl_slist* head =
        curl_slist_append(headers.get(), line.c_str());  // the head stays where it was, once there is one
    if (head == nullptr) throw std::bad_alloc();
    if (!headers) headers.reset(head);
  };
  for (const std::string& header : request.headers) add(header);
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

HttpCaller::HttpCaller(const Settings& settings) : settings_(settings) {
  static std::once_flag initialised;
  std::call_once(initialised, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

HttpAnswer HttpCaller::post(const HttpRequest& request) {
  const Handle handle(curl_easy_init());
  if (!handle) throw std::bad_alloc();
  const Headers headers = make_headers(request);
  CURL* curl = handle.get();
  Answer answer;
  answer.interrupted = &interrupted_;
  Gate gate;
  std::array<char, CURL_ERROR_SIZE> error{};
  configure(curl, settings_);
  if (!settings_.allow_private) {
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, &Gate::on_open);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &gate);
  }
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_POST, 1L);
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
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
  // The status was said: told again, whoever answers at length would only answer at length again.
  if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && answer.is_cut))
    return {HttpAnswer::How::answered, http_status, std::move(answer.body), {}, answer.is_cut};
  if (code == CURLE_ABORTED_BY_CALLBACK)
    return {HttpAnswer::How::interrupted, http_status, {}, "broken off because the service is stopping"};
  std::string why = one_line(error.front() != '\0' ? error.data() : curl_easy_strerror(code));
  if (answer.is_too_long()) why = "the answer's headers are longer than " + std::to_string(kMaxAnswer / 1024) + " KiB";
  if (!gate.refused.empty() && http_status == 0)
    why = gate.refused + " is a private address, which is refused: see the setting webhook.allow_private";
  return {HttpAnswer::How::no_answer, http_status, {}, std::move(why)};
}

}  // namespace invited::calls
