// A listener on a free port with a few routes that count how often they ran, for tests over real sockets.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "http/server.h"

namespace invited::test {

/// Waits for something that comes about in another thread and tells nobody.
template <class Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 5000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return false;
}

inline http::Response soap_fault(int status, std::string_view reason, const http::Request&) {
  return http::make_response(status, "text/xml; charset=utf-8",
                             "<Fault><faultcode>Client</faultcode>" + std::string(reason) + "</Fault>");
}

class TestListener {
 public:
  using Options = http::ServerOptions;

  explicit TestListener(Options options = {}, http::Router router = {}) {
    if (options.workers == Options{}.workers) options.workers = 4;
    // A machine that is busy with other tests shall not make answers 503.
    if (options.limits.queue_wait == http::Limits{}.queue_wait) options.limits.queue_wait = std::chrono::seconds(10);
    add_routes(router);
    server = std::make_unique<http::Server>(std::move(options), std::move(router));
    const auto started = server->start();
    if (!started) throw std::runtime_error(started.error().message);
  }

  std::uint16_t port() const { return server->port(); }

  std::atomic<int> handled{0};
  std::unique_ptr<http::Server> server;

 private:
  void add_routes(http::Router& router) {
    http::RouteOptions soap;
    soap.content_types = {"text/xml", "application/soap+xml"};
    soap.error_renderer = soap_fault;
    router.add(
        "POST", "/ws/InviteAPI/1/soap1",
        [this](const http::Request& request) {
          ++handled;
          return http::make_response(200, "text/xml; charset=utf-8",
                                     "<ok size='" + std::to_string(request.body.size()) + "'/>");
        },
        soap);
    router.add("GET", "/page", [this](const http::Request& request) {
      ++handled;
      return http::make_response(200, "text/html; charset=utf-8", "page of " + request.client_address);
    });
    router.add("POST", "/echo", [this](const http::Request& request) {
      ++handled;
      return http::make_response(200, "application/octet-stream", request.body);
    });
    router.add("GET", "/i/{token}", [this](const http::Request& request) {
      ++handled;
      return http::make_response(200, "text/plain", std::string(request.path_parameter("token")));
    });
  }
};

}  // namespace invited::test
