#include "http/response_writer.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>

#include "base/clock.h"
#include "base/log.h"
#include "http/request_policy.h"

namespace invited::http {
namespace {

/// One Date text for a second and thread: formatting it costs more than the rest of an answer.
const std::string& date_now() {
  thread_local std::chrono::sys_seconds second{};
  thread_local std::string text;
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  if (now != second || text.empty()) {
    second = now;
    text = base::to_http_date(base::Timestamp(now));
  }
  return text;
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

bool is_clean(std::string_view text) {
  return std::ranges::none_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
  });
}

/// What the listener alone decides. `Server` is on the list because it would tell what we run.
bool is_ours(std::string_view name) {
  static constexpr std::array<std::string_view, 6> kNames{"Content-Length",    "Connection", "Date",
                                                          "Transfer-Encoding", "Keep-Alive", "Server"};
  return std::ranges::any_of(kNames, [&](std::string_view ours) { return equals_ignoring_case(ours, name); });
}

void append_defaults(std::string& out, const Headers& set, const HeaderList& defaults) {
  for (const auto& [name, value] : defaults) {
    if (!set.find(name)) append_field(out, name, value);
  }
}

}  // namespace

const HeaderList& security_headers(bool secure) {
  static const HeaderList plain{
      {"Content-Security-Policy",
       "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; "
       "base-uri 'none'"},
      {"X-Content-Type-Options", "nosniff"},
      {"X-Frame-Options", "DENY"},
      {"Referrer-Policy", "no-referrer"},
      {"Cache-Control", "no-store"},
      {"Cross-Origin-Opener-Policy", "same-origin"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
  };
  static const HeaderList with_hsts = [] {
    auto all = plain;
    all.emplace_back("Strict-Transport-Security", "max-age=31536000");
    return all;
  }();
  return secure ? with_hsts : plain;
}

std::string serialize(const Response& response, const WriteOptions& options) {
  const bool has_body = response.status >= 200 && response.status != 204 && response.status != 304;
  std::string out;
  out.reserve(768 + (options.head ? 0 : response.body.size()));
  out += "HTTP/1.1 ";
  out += std::to_string(response.status);
  out += ' ';
  out += reason_phrase(response.status);
  out += "\r\n";
  append_field(out, "Date", date_now());
  for (const auto& [name, value] : response.headers.all()) {
    if (is_ours(name)) continue;
    if (name.empty() || !is_clean(name) || !is_clean(value)) {
      base::log::error("http.header_dropped", {{"name", name}});
      continue;
    }
    append_field(out, name, value);
  }
  append_defaults(out, response.headers, security_headers(options.secure));
  if (options.path_headers != nullptr) append_defaults(out, response.headers, *options.path_headers);
  if (options.extra_headers != nullptr) append_defaults(out, response.headers, *options.extra_headers);
  if (has_body) append_field(out, "Content-Length", std::to_string(response.body.size()));
  if (!options.keep_alive) {
    out += "Connection: close\r\n";
  } else if (options.to_http_1_0) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
  if (has_body && !options.head) out += response.body;
  return out;
}

Response render_error(const ErrorRenderer* renderer, int status, std::string_view reason, const Request& request) {
  if (renderer != nullptr && *renderer) {
    try {
      return (*renderer)(status, reason, request);
    } catch (const std::exception& e) {
      base::log::error("http.error_renderer_failed", {{"status", status}, {"what", e.what()}});
    } catch (...) {
      base::log::error("http.error_renderer_failed", {{"status", status}});
    }
  }
  std::string text(reason.empty() ? reason_phrase(status) : reason);
  text += '\n';
  return make_response(status, "text/plain; charset=utf-8", std::move(text));
}

}  // namespace invited::http
