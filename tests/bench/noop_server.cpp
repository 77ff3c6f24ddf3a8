// The ceiling that ./dev bench compares with: a gSOAP operation that does nothing, behind the same listener, workers
// and engine as the real service, without gate, use case and database. Prints its port on standard error; ends on
// SIGTERM.
#include <csignal>
#include <cstdio>

#include "InviteAPI/InviteAPIInviteAPISoapService.h"
#include "http/server.h"
#include "soap/engine.h"

namespace {

class NoopService final : public InviteAPI::InviteAPISoapService {
 public:
  using InviteAPISoapService::InviteAPISoapService;
  int SendInvite(InviteAPI::_tns__SendInvite*, InviteAPI::_tns__SendInviteResponse&) override { return SOAP_OK; }
  InviteAPISoapService* copy() override { return nullptr; }
};

}  // namespace

int main() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);

  invited::soap::Engine engine;
  invited::http::Router router;
  router.add("POST", "/ws/InviteAPI/1/soap1", [&](const invited::http::Request& request) {
    auto answer = engine.run(request.body, [](soap* context) { return NoopService(context).dispatch(); });
    if (!answer) return invited::http::make_response(500, "text/plain", "gSOAP refused the envelope\n");
    return invited::http::make_response(200, "text/xml; charset=utf-8", std::move(*answer));
  });

  invited::http::ServerOptions options;
  options.limits.connections_per_address = options.limits.connections;
  invited::http::Server server(std::move(options), std::move(router));
  if (const auto started = server.start(); !started) {
    std::fprintf(stderr, "%s\n", started.error().message.c_str());
    return 1;
  }
  std::fprintf(stderr, "listening %u\n", server.port());
  int signal = 0;
  sigwait(&signals, &signal);
  server.stop();
  return 0;
}
