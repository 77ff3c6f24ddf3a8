#include "serve.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "admin/admin_socket.h"
#include "backup_job.h"
#include "base/log.h"
#include "calls/call_worker.h"
#include "domain/context.h"
#include "housekeeping.h"
#include "http/server.h"
#include "mail/delivery_worker.h"
#include "mail/message_builder.h"
#include "mail/transport.h"
#include "refresh/refresh_source.h"
#include "routes.h"
#include "soap/engine.h"
#include "state_folder.h"
#include "webhook/webhook_source.h"

namespace invited {
namespace {

using domain::ErrorCode;
using domain::refuse;
using domain::Result;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

/// Sent to ourselves when storage has failed for good.
constexpr int kFatalSignal = SIGUSR1;
/// Others may send that signal, too, as log rotation does; one of theirs and ours that come together are one.
std::atomic<bool> storage_has_failed{false};
/// Kept back from shutdown_timeout for closing what remains once connections and deliveries are done with.
constexpr milliseconds kClosingTime = 1s;
constexpr milliseconds kPatience = 5s;
/// For apps that are being called when the service stops; a call that is broken off is made again by the next start.
constexpr milliseconds kRefreshPatience = 3s;
constexpr milliseconds kWebhookPatience = 3s;

sigset_t handled_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, kFatalSignal}) sigaddset(&set, signal);
  return set;
}

http::ServerOptions server_options(const Config& config) {
  http::ServerOptions options;
  options.address = config.http.listen.host;
  options.port = config.http.listen.port;
  if (!config.http.tls_certificate.empty())
    options.tls = http::TlsFiles{config.http.tls_certificate.string(), config.http.tls_key.string()};
  options.io_threads = config.http.io_threads;
  options.workers = config.http.workers;
  options.queue_length = config.http.queue_length;
  options.limits = config.limits;
  options.trusted_proxies = config.http.trusted_proxies;
  options.is_behind_tls = config.public_url.starts_with("https://");
  return options;
}

mail::DeliveryOptions delivery_options(const Config& config) {
  mail::DeliveryOptions options;
  options.connections = config.delivery.connections;
  options.lease = config.delivery.lease;
  options.retry = config.delivery.retry;
  options.public_url = config.public_url;
  return options;
}

/// Waits a little where the database is in use but no service answers: by a command, or by a service that is ending.
Result<StateFolder> open_when_free(const Config& config, const base::Clock& clock,
                                   const std::function<void(std::string_view)>& on_fatal, AfterRestore said) {
  const auto patience_ends = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    auto state = open_state_folder(config, clock, on_fatal, said);
    if (state || !is_in_use(config) || std::chrono::steady_clock::now() >= patience_ends) return state;
    const auto other = admin::call_service(config.state_dir, R"({"command":"status"})", kPatience);
    if (!other || other->has_value()) return state;
    std::this_thread::sleep_for(50ms);
  }
}

void warn_of_unsafe_settings(const Config& config) {
  for (const ConfigProblem& problem : unsafe_settings(config))
    base::log::warning("config.unsafe", {{"setting", problem.key}, {"remedy", problem.message}});
  struct stat status{};
  if (::stat(config.state_dir.c_str(), &status) == 0 && (status.st_mode & 077) != 0)
    base::log::warning("config.unsafe", {{"setting", "state_dir"}, {"remedy", "others can look into it: chmod 700"}});
  if (!config.mail.password_file.empty())
    if (const auto password = read_password_file(config.mail.password_file); !password)
      base::log::warning("config.unsafe", {{"setting", "mail.password_file"}, {"remedy", password.error()}});
}

}  // namespace

void block_signals() {
  const sigset_t set = handled_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  // A peer that is gone is told by the call that writes to it.
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
}

/// In the order in which they depend on each other: destroyed from the last to the first.
struct Service::Parts {
  Parts(Config settings, StateFolder opened)
      : config(std::move(settings)),
        state(std::move(opened)),
        clock(*state.clock),
        authenticator(*state.store, clock, state.keys.pepper, config.policy),
        wrong_links({config.policy.wrong_links_per_5_minutes, 5min, config.policy.wrong_links_per_5_minutes}),
        sign_ups({config.policy.sign_ups_per_minute, 1min, config.policy.sign_ups_per_minute}),
        sign_ins({config.policy.wrong_sign_ins_per_hour, 1h, config.policy.wrong_sign_ins_per_hour}),
        context{*state.store, clock,    config.policy, state.keys.token_keys, authenticator, password_hasher,
                wrong_links,  sign_ups, sign_ins},
        builder(config.mail),
        worker(*state.store, clock, state.keys.token_keys, builder, config.mail,
               mail::make_transport_factory(config.mail, mail::longest_delivery(config.delivery.lease)),
               delivery_options(config)),
        refresh_source(config.public_url),
        refresh_worker(*state.store, clock, refresh_source, config.refresh, {}),
        webhook_source(state.keys.pepper, config.webhook.allow_private),
        webhook_worker(*state.store, clock, webhook_source, config.webhook,
                       {.most_at_once = std::max(1U, config.webhook.connections / 2)}),
        housekeeping(*state.store, clock, config.policy.idempotency_lifetime, config.retention, [this] { renew(); }),
        backup_job(config, clock),
        admin{*state.store, clock, config.policy, state.keys.pepper, password_hasher} {
    admin.public_url = config.public_url;
    admin.start_backup = [this](const std::string& to) { return backup_job.start(to); };
    admin.backup_status = [this](std::uint64_t job) { return backup_job.status(job); };
    context.mail_queued = [this] { worker.wake(); };
    context.refresh_queued = [this] { refresh_worker.wake(); };
    context.public_url = config.public_url;
    admin.mail_queued = [this] { worker.wake(); };
    admin.refresh_queued = [this] { refresh_worker.wake(); };
    admin.webhooks_replayed = [this] { webhook_worker.try_silent(); };
    admin.webhook_allow_private = config.webhook.allow_private;
    admin.refresh_retried = [this] { refresh_worker.try_silent(); };
    admin.environments_changed = [this] { authenticator.forget_snapshot(); };
  }

  /// Not worth a refusal: a disk that is full must not keep what is owed from going on. But then a copy of today's
  /// database would be taken for the database.
  void renew() {
    const auto renewed = renew_incarnation(guarded_folder(config), *state.store, state.keys, clock.now());
    if (!renewed && !renewal_failed)
      base::log::warning("incarnation.not_renewed", {{"reason", renewed.error().message},
                                                     {"effect", "an older copy of the database may go unnoticed"}});
    renewal_failed = !renewed;
  }

  const Config config;
  std::atomic<bool> draining{false};
  std::atomic<bool> renewal_failed{false};
  StateFolder state;
  const base::Clock& clock;
  domain::PasswordHasher password_hasher;
  domain::EnvironmentAuthenticator authenticator;
  domain::AttemptLimiter wrong_links;
  domain::AttemptLimiter sign_ups;
  domain::AttemptLimiter sign_ins;
  domain::Context context;
  mail::MessageBuilder builder;
  mail::DeliveryWorker worker;
  refresh::RefreshSource refresh_source;
  calls::CallWorker refresh_worker;
  webhook::WebhookSource webhook_source;
  calls::CallWorker webhook_worker;
  Housekeeping housekeeping;
  soap::Engine engine;
  BackupJob backup_job;
  admin::AdminContext admin;
  std::unique_ptr<admin::AdminSocketServer> admin_socket;
  std::unique_ptr<http::Server> server;
};

Service::Service(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Service::~Service() = default;

const Config& Service::config() const { return parts_->config; }
admin::AdminContext& Service::admin_context() { return parts_->admin; }

Result<std::unique_ptr<Service>> Service::start(Config config, const MoreRoutes& more_routes, AfterRestore said) {
  base::log::set_level(config.log_level);
  const base::SystemClock clock;
  auto state = open_when_free(
      config, clock,
      [](std::string_view reason) {
        base::log::error("service.failed", {{"reason", reason}});
        storage_has_failed = true;
        ::kill(::getpid(), kFatalSignal);
      },
      said);
  if (!state) return std::unexpected(std::move(state.error()));
  // Links and pages hold the public URL, so the port must be known before anything is built; but a second service on
  // the same folder is told who holds that, not that the port is taken.
  const auto port = find_port(config.http.listen);
  if (!port) return refuse(ErrorCode::unavailable, "http.listen: " + port.error() + ".");
  config.http.listen.port = *port;
  if (config.public_url.empty())
    config.public_url = (config.http.tls_certificate.empty() ? "http://" : "https://") + config.http.listen.to_string();
  warn_of_unsafe_settings(config);

  if (state->accepted)
    base::log::warning("restore.accepted",
                       {{"effect", "links mailed so far are dead, everybody is signed out"},
                        {"held_mails", state->accepted->held_messages},
                        {"next", "invited invitation resend --after-restore; invited mail list --state queued"}});
  else if (said != AfterRestore::not_said)
    base::log::warning("restore.not_seen", {{"effect", "--after-restore did nothing: take it out of the start"}});

  auto parts = std::make_unique<Parts>(std::move(config), std::move(*state));
  parts->renew();  // before anything is answered or sent
  // Of two instances that begin with an empty database at the same moment, one has the keys.
  if (auto fits = refuse_restored(guarded_folder(parts->config), *parts->state.store, parts->state.keys); !fits)
    return std::unexpected(std::move(fits.error()));
  const auto renderer = std::make_shared<const http::PageRenderer>(parts->config.public_url, base::Language::en);
  http::Router router = make_routes({.context = parts->context,
                                     .engine = parts->engine,
                                     .public_url = parts->config.public_url,
                                     .csrf_key = parts->state.keys.csrf_key,
                                     .renderer = renderer,
                                     .draining = parts->draining,
                                     .cors_origins = parts->config.http.cors_origins});
  if (more_routes) more_routes(router, renderer);
  parts->server = std::make_unique<http::Server>(server_options(parts->config), std::move(router));
  auto admin_socket = admin::AdminSocketServer::start(
      parts->config.state_dir,
      [&admin = parts->admin](const std::string& request) {
        const auto json = admin::Json::parse(request, nullptr, /*allow_exceptions=*/false);
        return admin::execute(json, admin).dump(-1, ' ', false, admin::Json::error_handler_t::replace);
      },
      {});
  if (!admin_socket) return std::unexpected(std::move(admin_socket.error()));
  parts->admin_socket = std::move(*admin_socket);
  if (auto started = parts->server->start(); !started) return std::unexpected(std::move(started.error()));
  parts->worker.start();
  parts->refresh_worker.start();
  parts->webhook_worker.start();

  base::log::info("service.started", {{"version", INVITED_VERSION},
                                      {"listen", parts->config.http.listen.to_string()},
                                      {"public_url", parts->config.public_url},
                                      {"state_dir", parts->config.state_dir.string()},
                                      {"pid", ::getpid()}});
  return std::unique_ptr<Service>(new Service(std::move(parts)));
}

int Service::run() {
  const sigset_t set = handled_signals();
  for (;;) {
    int signal = 0;
    if (sigwait(&set, &signal) != 0) continue;
    if (signal == SIGHUP) {
      const auto reloaded = parts_->server->reload_tls();
      if (reloaded)
        base::log::info("service.reloaded", {{"tls", !parts_->config.http.tls_certificate.empty()},
                                             {"effect", "certificate and key only: other settings need a restart"}});
      else
        base::log::error("service.reload_failed", {{"reason", reloaded.error().message}});
      continue;
    }
    if (signal == kFatalSignal && !storage_has_failed) {
      base::log::warning("service.signal_ignored",
                         {{"signal", "SIGUSR1"},
                          {"remedy", "send SIGHUP to have the certificate read again, SIGTERM to end the service"}});
      continue;
    }
    if (signal == kFatalSignal) {
      parts_->draining = true;
      parts_->server->drain(kClosingTime);
      // Nothing may touch the database any more, closing it included: what is on disk now is what the next start finds.
      std::_Exit(EXIT_FAILURE);
    }
    base::log::info("service.stopping", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
    sigset_t second = set;
    // stop() looks whether it came: a store that fails now writes nothing more by itself.
    sigdelset(&second, kFatalSignal);
    // Asks for new certificates: of no use now, and no reason to break off.
    sigdelset(&second, SIGHUP);
    pthread_sigmask(SIG_UNBLOCK, &second, nullptr);
    return stop();
  }
}

int Service::stop() {
  const auto end = std::chrono::steady_clock::now() + parts_->config.shutdown_timeout - kClosingTime;
  const auto left = [end] {
    return std::max(0ms, std::chrono::duration_cast<milliseconds>(end - std::chrono::steady_clock::now()));
  };
  parts_->draining = true;
  // First, while those apps can still ask us back.
  parts_->refresh_worker.stop(std::min(left(), kRefreshPatience));
  const bool drained = parts_->server->drain(left());
  parts_->server->stop();
  parts_->admin_socket.reset();
  parts_->worker.stop(left());
  parts_->webhook_worker.stop(std::min(left(), kWebhookPatience));
  parts_->state.store->drain();
  parts_.reset();
  const bool storage_failed = storage_has_failed;
  base::log::info("service.stopped", {{"all_answered", drained}, {"storage_failed", storage_failed}});
  return storage_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int serve(const Config& config, AfterRestore said) {
  block_signals();
  if (const auto problems = problems_for_serving(config); !problems.empty()) {
    for (const ConfigProblem& problem : problems) std::cerr << "invited: " << problem.to_string() << '\n';
    return EXIT_FAILURE;
  }
  auto service = Service::start(config, {}, said);
  if (!service) {
    std::cerr << "invited: " << service.error().message << '\n';
    return EXIT_FAILURE;
  }
  return (*service)->run();
}

}  // namespace invited
