#include "http/dialects/v1.h"

#include <utility>

#include "http/api/json_answer.h"
#include "http/dialects/dialects.h"

namespace invited::http {
namespace v1 {

std::string url_of(const Calls& calls, std::string_view path) {
  std::string url = calls->context().public_url;
  while (url.ends_with('/')) url.pop_back();
  return url.append(kRoot).append(path);
}

RouteOptions with_body() { return api_route_options(render_problem, ApiBody::json); }

RouteOptions without_body() { return api_route_options(render_problem, ApiBody::none); }

Response answer_get(const Calls& calls, const Request& request, const ApiWork& work) {
  Response response = calls->read(request, work);
  if (response.status != 200) return response;
  if (response.headers.find("ETag"))
    answer_if_none_match(request, response);
  else
    add_entity_tag(request, response);
  return response;
}

domain::Result<base::Uuid> id_in_path(const Request& request, std::string_view what) {
  if (const auto id = base::Uuid::parse(request.path_parameter("id"))) return *id;
  return domain::refuse(domain::ErrorCode::not_found,
                        "There is no such " + std::string(what) + " in this environment: the id is not a UUID.", "id");
}

}  // namespace v1

void add_v1_routes(Router& router, domain::Context& context) {
  const auto calls = std::make_shared<const ApiCalls>(context, make_problem);
  router.add_error_renderer(std::string(v1::kRoot) + '/', render_problem);
  v1::add_invitation_routes(router, calls);
  v1::add_listing_routes(router, calls);
  v1::add_people_routes(router, calls);
  v1::add_document_routes(router, context.public_url);
}

}  // namespace invited::http
