#include "http/dialects/dialects.h"

namespace invited::http {

void add_medusa_routes(Router&, domain::Context&) {}

}  // namespace invited::http
