#include "http/home_page.h"

#include <utility>

#include "http/router.h"

namespace invited::http {

void add_home_route(Router& router, std::shared_ptr<const PageRenderer> renderer) {
  RouteOptions options;
  options.error_renderer = page_error_renderer(renderer);
  router.add(
      "GET", "/",
      [pages = std::move(renderer)](const Request& request) {
        return pages->render(request, {.status = 200, .template_name = "home.html"}, {});
      },
      std::move(options));
}

}  // namespace invited::http
