#include "cli/admin_session.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <utility>

#include "admin/admin_socket.h"
#include "base/log.h"
#include "state_folder.h"

namespace invited::cli {
namespace {

using admin::Json;
using domain::ErrorCode;
using domain::refuse;
using domain::Result;
using namespace std::chrono_literals;

/// A commit takes milliseconds; a service that is overloaded answers `unavailable` long before this.
constexpr auto kAnswerDeadline = 60s;
/// A service that is starting or stopping has the database but no socket yet or any more.
constexpr auto kPatience = 5s;

/// Commands that may be asked twice without harm.
bool only_reads(std::string_view command) {
  return command.ends_with(" list") || command.ends_with(" show") || command == "webhook deliveries" ||
         command == "mail hold" || command == "mail held";
}

/// What the service will say of itself when it runs (serve.cpp): lengths of OpenIDs are measured with it.
std::string public_url_of(const Config& config) {
  if (!config.public_url.empty()) return config.public_url;
  return (config.http.tls_certificate.empty() ? "http://" : "https://") + config.http.listen.to_string();
}

Result<Json> result_of(const Json& answer) {
  if (answer.is_object() && answer.contains("result")) return answer["result"];
  domain::Error error{ErrorCode::unavailable, "The service's answer makes no sense: is it of another version?", {}, {}};
  if (answer.is_object() && answer.contains("error") && answer["error"].is_object()) {
    const Json& told = answer["error"];
    for (const ErrorCode code : domain::kErrorCodes)
      if (domain::to_string(code) == told.value("code", "")) error.code = code;
    error.message = told.value("message", error.message);
    error.parameter = told.value("parameter", "");
  }
  return std::unexpected(std::move(error));
}

}  // namespace

/// The store, opened by ourselves, and what commands need beside it.
struct AdminSession::Offline {
  StateFolder state;
  domain::PasswordHasher hasher;
};

AdminSession::AdminSession(const Config& config, bool may_create) : config_(config), may_create_(may_create) {}

AdminSession::~AdminSession() = default;

bool AdminSession::through_service() const { return offline_ == nullptr; }

Result<Json> AdminSession::run_offline(const Json& request) {
  admin::AdminContext context{*offline_->state.store,      *offline_->state.clock, config_.policy,
                              offline_->state.keys.pepper, offline_->hasher,       public_url_of(config_)};
  context.webhook_allow_private = config_.webhook.allow_private;
  return result_of(admin::execute(request, context));
}

bool AdminSession::service_answers() const {
  const auto patience_ends = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    const auto answer = admin::call_service(config_.state_dir, R"({"command":"status"})", kAnswerDeadline);
    if (!answer || answer->has_value()) return true;  // an error is told by what is run then
    if (!is_in_use(config_) || std::chrono::steady_clock::now() >= patience_ends) return false;
    std::this_thread::sleep_for(100ms);
  }
}

Result<Json> AdminSession::run_in_service(const std::string& command, Json arguments) const {
  const std::string request = Json{{"command", command}, {"arguments", std::move(arguments)}}.dump();
  const auto answer = admin::call_service(config_.state_dir, request, kAnswerDeadline);
  if (!answer) return std::unexpected(answer.error());
  if (!*answer) return refuse(ErrorCode::unavailable, "The service has ended: see its log, then repeat the command.");
  return result_of(Json::parse(**answer, nullptr, /*allow_exceptions=*/false));
}

Result<Json> AdminSession::run(const std::string& command, Json arguments) {
  const Json request{{"command", command}, {"arguments", std::move(arguments)}};
  if (offline_) return run_offline(request);
  const auto patience_ends = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    auto answer = admin::call_service(config_.state_dir, request.dump(), kAnswerDeadline);
    met_service_ = !answer || *answer;
    if (!answer) {
      // A service that dies between our question and its answer: whoever only asks can ask again.
      const bool again = answer.error().code == ErrorCode::outcome_unknown && only_reads(command) &&
                         std::chrono::steady_clock::now() < patience_ends;
      if (!again) return std::unexpected(std::move(answer.error()));
      std::this_thread::sleep_for(100ms);
      continue;
    }
    if (const auto& line = *answer) return result_of(Json::parse(*line, nullptr, /*allow_exceptions=*/false));

    if (!may_create_ && !may_have_database(config_))
      return refuse(ErrorCode::not_found, "There is no database in " + config_.state_dir.string() +
                                              " yet: name the service with --config or --state-dir, or start it once.");
    base::log::set_level(base::log::Level::warning);
    auto offline = std::make_unique<Offline>();
    auto state =
        open_state_folder(config_, base::SystemClock(), {}, AfterRestore::not_said, storage::OlderSchema::refuse);
    if (state) {
      offline->state = std::move(*state);
      offline_ = std::move(offline);
      return run_offline(request);
    }
    if (!is_in_use(config_) || std::chrono::steady_clock::now() >= patience_ends)
      return std::unexpected(std::move(state.error()));
    std::this_thread::sleep_for(100ms);
  }
}

}  // namespace invited::cli
