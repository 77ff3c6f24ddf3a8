#include "http/dialects/medusa_auth.h"

#include <utility>

#include "base/content_type.h"
#include "base/crypto.h"
#include "domain/member.h"
#include "domain/session.h"
#include "http/api/credentials.h"
#include "http/api/json_answer.h"
#include "http/cookies.h"
#include "http/dialects/medusa_shapes.h"
#include "http/dialects/medusa_tokens.h"

namespace invited::http {
namespace {

using domain::Context;
using domain::ErrorCode;
using domain::Result;

constexpr std::string_view kPurpose = "auth";
constexpr std::string_view kSessionCookie = "connect.sid";
constexpr std::string_view kProvider = "emailpass";

domain::Error unauthorized() { return {ErrorCode::authentication_failed, "Unauthorized", {}, std::nullopt}; }

std::int64_t seconds_of(base::Timestamp time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

/// The environment that the path names, if it does. A nil UUID where it names none of ours.
std::optional<base::Uuid> environment_of(const Request& request) {
  const std::string_view named = request.path_parameter("environment");
  if (named.empty()) return std::nullopt;
  return base::Uuid::parse(named).value_or(base::Uuid{});
}

std::string text_claim(const Json& claims, std::string_view name) {
  const auto found = claims.find(name);
  return found != claims.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Result<std::optional<Json>> bearer_claims(const Request& request, Context& context) {
  const Credential credential = read_credential(request);
  if (credential.kind == Credential::Kind::none) return std::optional<Json>{};
  auto claims = check_jwt(context.token_keys, kPurpose, credential.secret.reveal());
  if (!claims) return std::unexpected(unauthorized());
  return claims;
}

bool is_json(const Request& request) {
  return equals_ignoring_case(base::parse_content_type(request.headers.get("Content-Type")).media_type,
                              "application/json");
}

/// The session's text: out of the Bearer token, else out of the cookie.
Result<std::string> session_of(const Request& request, Context& context) {
  const auto claims = bearer_claims(request, context);
  if (!claims) return std::unexpected(claims.error());
  if (*claims) return text_claim(**claims, "sid");
  // A cookie is sent along whoever wrote the page: a page of another site gets nothing done with it, and a form, which
  // needs nobody's leave but cannot say that it is JSON, neither.
  const bool is_form = request.method == "POST" && !is_json(request);
  if (is_form || request.headers.get("Sec-Fetch-Site") == "cross-site") return std::unexpected(unauthorized());
  const auto cookies = cookies_of(request, kSessionCookie);
  return cookies.empty() ? std::string() : std::string(cookies.front());
}

Result<domain::Account> signed_in_account(const Request& request, Context& context) {
  const auto session = session_of(request, context);
  if (!session) return std::unexpected(session.error());
  if (session->empty()) return std::unexpected(unauthorized());
  auto person = domain::find_signed_in(*session, context);
  if (!person) return std::unexpected(std::move(person.error()));
  if (!*person) return std::unexpected(unauthorized());
  return std::move((*person)->account);
}

Json claims_of(const std::string& identity, const std::optional<std::string>& user_id, base::Timestamp now,
               base::Timestamp expires_at) {
  Json app_metadata = Json::object();
  if (user_id) app_metadata["user_id"] = *user_id;
  return {{"actor_id", user_id.value_or("")},
          {"actor_type", "user"},
          {"auth_identity_id", identity},
          {"auth_provider", kProvider},
          {"app_metadata", std::move(app_metadata)},
          {"user_metadata", Json::object()},
          {"iat", seconds_of(now)},
          {"exp", seconds_of(expires_at)}};
}

/// What a signed-in person's token says. Somebody who is no user here yet has no actor, and may accept an invite.
Result<Json> claims_of_account(const Request& request, const domain::Account& account, base::Timestamp expires_at,
                               Context& context) {
  return domain::read_returning(context.store, [&](domain::Transaction& transaction) -> Result<Json> {
    bool is_user = false;
    const auto wanted = environment_of(request);
    for (const base::Uuid& id : transaction.list_environments_of(account.id))
      if (const auto environment = transaction.find_environment(id); environment && (!wanted || *wanted == id))
        is_user = is_user || domain::is_member(account, *environment, kMedusaDialect, transaction);
    const std::optional<std::string> user_id =
        is_user ? std::optional(medusa_id(MedusaKind::user, account.id)) : std::nullopt;
    return claims_of(medusa_id(MedusaKind::identity, account.id), user_id, context.clock.now(), expires_at);
  });
}

Response token_answer(const Context& context, const Json& claims) {
  return make_json(200, {{"token", make_jwt(context.token_keys, kPurpose, claims)}});
}

Response wrong_password() { return medusa_error(401, "unauthorized", "Invalid email or password"); }

struct EmailAndPassword {
  std::string email;
  base::Secret password;
};

std::expected<EmailAndPassword, Response> read_credentials(const Request& request) {
  const auto body = parse_json(request.body);
  if (!body) return std::unexpected(medusa_error(400, "invalid_data", "Invalid request: " + body.error().to_string()));
  const auto text = [&](std::string_view name) -> std::optional<std::string> {
    const auto found = body->is_object() ? body->find(name) : body->end();
    if (found == body->end() || !found->is_string()) return std::nullopt;
    return found->get<std::string>();
  };
  auto password = text("password");
  if (!password) return std::unexpected(medusa_error(401, "unauthorized", "Password should be a string"));
  auto email = text("email");
  if (!email) return std::unexpected(medusa_error(401, "unauthorized", "Email should be a string"));
  return EmailAndPassword{*std::move(email), base::Secret(*std::move(password))};
}

Result<Json> sign_in(const Request& request, const EmailAndPassword& given, Context& context) {
  auto session = domain::sign_in({given.email, given.password, request.client_address, {}}, context);
  if (!session) return std::unexpected(std::move(session.error()));
  const auto person = domain::find_signed_in(session->token.reveal(), context);
  if (!person) return std::unexpected(person.error());
  if (!*person) return std::unexpected(unauthorized());
  auto claims = claims_of_account(request, (*person)->account, session->expires_at, context);
  if (claims) (*claims)["sid"] = session->token.reveal();
  return claims;
}

Response login(const Request& request, Context& context) {
  const auto given = read_credentials(request);
  if (!given) return given.error();
  const auto claims = sign_in(request, *given, context);
  if (claims) return token_answer(context, *claims);
  return claims.error().code == ErrorCode::sign_in_failed ? wrong_password() : medusa_error(claims.error());
}

Response do_register(const Request& request, Context& context) {
  const auto given = read_credentials(request);
  if (!given) return given.error();
  const auto registered = domain::register_person(given->email, given->password, request.client_address, context);
  if (registered) {
    const base::Timestamp now = context.clock.now();
    Json claims =
        claims_of(medusa_id(MedusaKind::identity, base::Uuid::random()), std::nullopt, now, registered->expires_at);
    claims["reg"] = domain::seal_registration(context.token_keys, *registered);
    return token_answer(context, claims);
  }
  if (registered.error().code != ErrorCode::already_exists) return medusa_error(registered.error());
  // Whoever knows the password and is no user here yet goes on as if just registered.
  const auto claims = sign_in(request, *given, context);
  if (claims && text_claim(*claims, "actor_id").empty()) return token_answer(context, *claims);
  return medusa_error(401, "unauthorized", "Identity with email already exists");
}

Response refresh(const Request& request, Context& context) {
  const auto account = signed_in_account(request, context);
  if (!account) return medusa_error(account.error());
  const auto session = session_of(request, context);
  auto claims = claims_of_account(request, *account, context.clock.now() + context.policy.session_lifetime, context);
  if (!session || !claims) return medusa_unauthorized();
  (*claims)["sid"] = *session;
  return token_answer(context, *claims);
}

Response begin_session(const Request& request, Context& context) {
  const auto account = signed_in_account(request, context);
  if (!account) return medusa_error(account.error());
  const auto session = session_of(request, context);
  const auto claims =
      claims_of_account(request, *account, context.clock.now() + context.policy.session_lifetime, context);
  if (!session || !claims) return medusa_unauthorized();
  Response response = make_json(200, {{"user", *claims}});
  response.headers.add("Set-Cookie",
                       make_set_cookie(request, kSessionCookie, *session, context.policy.session_lifetime));
  return response;
}

Response end_session(const Request& request, Context& context) {
  if (const auto session = session_of(request, context); session && !session->empty())
    if (const auto done = domain::sign_out(*session, context); !done) return medusa_error(done.error());
  Response response = make_json(200, {{"success", true}});
  response.headers.add("Set-Cookie", make_set_cookie(request, kSessionCookie, "", std::chrono::seconds(0)));
  return response;
}

Response list_providers(const Request&, Context&) {
  return make_json(200, {{"providers", Json::array({{{"id", kProvider},
                                                     {"identifier", kProvider},
                                                     {"display_name", "Email and password"},
                                                     {"flow", "password"}}})}});
}

std::string_view type_of_status(int status) {
  switch (status) {
    case 401:
      return "unauthorized";
    case 403:
      return "forbidden";
    case 404:
      return "not_found";
    case 409:
    case 412:
    case 422:
      return "conflict";
    case 429:
      return "too_many_requests";
    default:
      return status >= 500 ? "unexpected_state" : "invalid_data";
  }
}

}  // namespace

Response medusa_error(int status, std::string_view type, std::string_view message) {
  return make_json(status, {{"type", type}, {"message", message}});
}

Response medusa_error(const domain::Error& error) {
  const int status = status_of(error.code);
  if (error.code == ErrorCode::authentication_failed) return medusa_unauthorized();
  Response response = medusa_error(status, type_of_status(status), error.message);
  add_retry_after(response, error);
  return response;
}

Response render_medusa_error(int status, std::string_view reason, const Request&) {
  return medusa_error(status, type_of_status(status), reason);
}

Response medusa_unauthorized() { return make_json(401, {{"message", "Unauthorized"}}); }

Result<domain::Caller> authenticate_medusa(const Request& request, Context& context) {
  const auto wanted = environment_of(request);
  const Credential credential = read_credential(request);
  const bool is_person = credential.kind == Credential::Kind::none
                             ? !cookies_of(request, kSessionCookie).empty()
                             : check_jwt(context.token_keys, kPurpose, credential.secret.reveal()).has_value();
  if (!is_person) {
    auto caller = authenticate_api_token(request, context);
    if (caller && wanted && *wanted != caller->environment.id) return std::unexpected(unauthorized());
    return caller;
  }
  const auto account = signed_in_account(request, context);
  if (!account) return std::unexpected(account.error());
  return domain::read_returning(context.store, [&](domain::Transaction& transaction) {
    return domain::find_member_caller(*account, wanted, kMedusaDialect, transaction);
  });
}

Result<MedusaIdentity> find_medusa_identity(const Request& request, Context& context) {
  const auto claims = bearer_claims(request, context);
  if (!claims) return std::unexpected(claims.error());
  if (*claims && !text_claim(**claims, "reg").empty()) {
    auto registration = domain::open_registration(context.token_keys, text_claim(**claims, "reg"), context.clock.now());
    if (!registration) return std::unexpected(unauthorized());
    return MedusaIdentity{std::move(registration), std::nullopt};
  }
  auto account = signed_in_account(request, context);
  if (!account) return std::unexpected(std::move(account.error()));
  return MedusaIdentity{std::nullopt, *std::move(account)};
}

void add_medusa_auth_routes(Router& router, const std::string& prefix, Context& context) {
  using Endpoint = Response (*)(const Request&, Context&);
  const auto add = [&](const char* method, const char* path, Endpoint endpoint, const RouteOptions& options) {
    router.add(
        method, prefix + path, [endpoint, &context](const Request& request) { return endpoint(request, context); },
        options);
  };
  RouteOptions with_password = api_route_options(render_medusa_error, ApiBody::json);
  with_password.hashes_passwords = true;
  const RouteOptions without_body = api_route_options(render_medusa_error, ApiBody::none);
  add("POST", "/auth/user/emailpass/register", do_register, with_password);
  add("POST", "/auth/user/emailpass", login, with_password);
  add("POST", "/auth/token/refresh", refresh, without_body);
  add("POST", "/auth/session", begin_session, without_body);
  add("DELETE", "/auth/session", end_session, without_body);
  add("GET", "/auth/user/providers", list_providers, without_body);
}

}  // namespace invited::http
