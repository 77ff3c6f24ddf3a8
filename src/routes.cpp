#include "routes.h"

#include <string>
#include <utility>

#include "http/account_pages.h"
#include "http/assets.h"
#include "http/dialects/dialects.h"
#include "http/home_page.h"
#include "http/invitation_pages.h"
#include "http/response_writer.h"
#include "soap/content_type.h"
#include "soap/documents.h"
#include "soap/endpoint.h"
#include "soap/fault.h"

namespace invited {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";

http::Response to_response(soap::SoapAnswer answer) {
  http::Response response = http::make_response(answer.status, answer.content_type, std::move(answer.body));
  for (const auto& [name, value] : answer.headers) response.headers.set(name, value);
  return response;
}

/// What to do about a refusal of the listener, which does not know what a SOAP call looks like.
std::string_view remedy(int status) {
  if (status == 404) return " The addresses of the services are at /ws-doc/.";
  if (status == 413) return " A call needs less than 4 KiB.";
  if (status == 415) return " A call is sent as text/xml; charset=utf-8, with nothing compressed or attached.";
  return {};
}

/// What the listener refuses by itself on a SOAP path is a fault too, of the version that the request's media type goes
/// with: clients of SOAP 1.2 do not look into an answer of another type. Its status is HTTP's own: 405, 413, 415, 503,
/// …
http::Response render_fault(int status, std::string_view reason, const http::Request& request) {
  const bool ours = status >= 500;
  soap::Fault fault;
  fault.code = ours ? soap::FaultCode::receiver : soap::FaultCode::sender;
  fault.version = soap::check_content_type(request.headers.get("Content-Type")).version;
  fault.error = {ours ? domain::ErrorCode::unavailable : domain::ErrorCode::malformed_request,
                 std::string(reason).append(remedy(status)),
                 {},
                 {}};
  if (status == 503) fault.error.retry_after = http::kBusyFor;  // as the header
  fault.status = status;
  return to_response(soap::to_answer(fault));
}

void add_soap_routes(http::Router& router, const RouteParts& parts) {
  const auto documents = std::make_shared<const soap::Documents>(parts.public_url);
  const http::Handler get_document = [documents](const http::Request& request) {
    auto answer = documents->get(request.path, request.query, request.has_query);
    return answer ? to_response(std::move(*answer)) : http::make_response(404, kText, "Not found.\n");
  };
  for (const soap::Service& service : soap::services()) {
    const auto endpoint = std::make_shared<soap::Endpoint>(service, parts.engine, parts.context);
    const http::LateHandler call = [endpoint](const http::Request& request, http::Respond respond) {
      const std::string idempotency_key = request.headers.lines("Idempotency-Key");
      endpoint->handle(
          {.body = request.body,
           .content_type = request.headers.get("Content-Type"),
           .idempotency_key = idempotency_key,
           .client_address = request.client_address},
          [respond = std::move(respond)](soap::SoapAnswer answer) mutable { respond(to_response(std::move(answer))); });
    };
    const std::string path(service.path);
    router.add_late("POST", path, call,
                    {.max_body = 0,
                     .content_types = {"text/xml", "application/soap+xml", "application/xml"},
                     .error_renderer = render_fault});
    router.add("GET", path, get_document);
  }
  // A location that is mistyped is called like a right one. Clients take the page that people get for an answer in XML.
  router.add_error_renderer("/ws/", [page = http::page_error_renderer(parts.renderer)](
                                        int status, std::string_view reason, const http::Request& request) {
    return request.method == "POST" ? render_fault(status, reason, request) : page(status, reason, request);
  });
  router.add("GET", "/ws-doc/", get_document);
  router.add("GET", "/ws-doc", [location = parts.public_url + "/ws-doc/"](const http::Request&) {
    http::Response response = http::make_response(308, kText, "");
    response.headers.set("Location", location);
    return response;
  });
}

void add_probe_routes(http::Router& router, const RouteParts& parts) {
  const auto uncached = [](int status, std::string body) {
    http::Response response = http::make_response(status, kText, std::move(body));
    response.headers.set("Cache-Control", "no-store");
    return response;
  };
  // Whoever asks restarts a service that does not answer: no help where all workers wait for the database.
  http::RouteOptions probe;
  probe.runs_at_once = true;
  router.add("GET", "/healthz", [uncached](const http::Request&) { return uncached(200, std::string(kAlive)); }, probe);
  router.add(
      "GET", "/readyz",
      [uncached, &store = parts.context.store, &draining = parts.draining](const http::Request&) {
        if (draining.load()) return uncached(503, "not ready: stopping\n");
        if (!store.is_ready()) return uncached(503, "not ready: the database takes no writes\n");
        return uncached(200, "ready\n");
      },
      probe);
}

}  // namespace

http::Router make_routes(const RouteParts& parts) {
  http::Router router;
  router.set_cors(http::CorsPolicy(parts.cors_origins));
  router.set_error_renderer(http::page_error_renderer(parts.renderer));
  add_soap_routes(router, parts);
  http::add_invitation_routes(
      router, std::make_shared<const http::InvitationPages>(parts.context, parts.renderer, parts.csrf_key));
  http::add_account_routes(router, parts.context, parts.renderer, parts.csrf_key);
  http::add_v1_routes(router, parts.context);
  http::add_gorules_routes(router, parts.context);
  http::add_base44_routes(router, parts.context);
  http::add_medusa_routes(router, parts.context);
  http::add_asset_routes(router);
  http::add_home_route(router, parts.renderer);
  add_probe_routes(router, parts);
  return router;
}

}  // namespace invited
