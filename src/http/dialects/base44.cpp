#include "http/dialects/dialects.h"

namespace invited::http {

void add_base44_routes(Router&, domain::Context&) {}

}  // namespace invited::http
