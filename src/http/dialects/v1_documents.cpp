// /api/v1/openapi.json and the page that says the same to people.
#include <span>
#include <utility>

#include "base/embedded_file.h"
#include "http/api/json_answer.h"
#include "http/dialects/v1.h"
#include "http/html.h"

namespace invited::http::v1 {

namespace documents {
std::span<const base::EmbeddedFile> files();
}

namespace {

/// The path of a URL, without a slash at its end.
std::string path_of(std::string_view url) {
  const auto scheme = url.find("://");
  const auto at = scheme == std::string_view::npos ? scheme : url.find('/', scheme + 3);
  std::string path(at == std::string_view::npos ? std::string_view{} : url.substr(at));
  while (path.ends_with('/')) path.pop_back();
  return path;
}

/// A document that is the same for everybody and for as long as the program runs.
void add_document(Router& router, std::string path, std::string_view type, std::string text) {
  Response document = make_response(200, type, std::move(text));
  document.headers.set("Cache-Control", "no-cache");
  if (type.starts_with("text/html"))
    document.headers.set("Content-Security-Policy", content_security_policy(/*with_script=*/false));
  RouteOptions options = without_body();
  options.runs_at_once = true;
  router.add(
      "GET", std::move(path),
      [document = std::move(document)](const Request& request) {
        Response response = document;
        add_entity_tag(request, response);
        return response;
      },
      std::move(options));
}

}  // namespace

void add_document_routes(Router& router, std::string_view public_url) {
  std::string url(public_url);
  while (url.ends_with('/')) url.pop_back();
  url += kRoot;
  Json openapi = Json::parse(documents::files().front().content);
  openapi["servers"][0]["url"] = url;
  add_document(router, "/api/v1/docs", "text/html; charset=utf-8", documentation_page(openapi, path_of(public_url)));
  add_document(router, "/api/v1/openapi.json", "application/json", openapi.dump());
  router.add(
      "GET", "/api/v1",
      [location = url + "/docs"](const Request&) {
        Response response = make_response(308, "text/plain; charset=utf-8", "");
        response.headers.set("Location", location);
        return response;
      },
      without_body());
}

}  // namespace invited::http::v1
