// The page at "/": says in two sentences what runs here and where developers read on. No version, no state.
#pragma once

#include <memory>

#include "http/html.h"

namespace invited::http {

class Router;
void add_home_route(Router& router, std::shared_ptr<const PageRenderer> renderer);

}  // namespace invited::http
