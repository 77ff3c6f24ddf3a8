#include "http/dialects/dialects.h"

namespace invited::http {

void add_v1_routes(Router&, domain::Context&) {}

}  // namespace invited::http
