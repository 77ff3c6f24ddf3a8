#include "http/api/api_calls.h"

#include <algorithm>
#include <optional>

#include "base/crypto.h"
#include "base/log.h"
#include "domain/idempotency_key.h"
#include "http/api/credentials.h"
#include "http/api/json_answer.h"

namespace invited::http {
namespace {

using domain::ErrorCode;
using domain::Result;

constexpr std::string_view kIdempotencyKey = "Idempotency-Key";

/// What a call means, for telling a repeated key from one that is used again.
std::string digest_of(const Request& request, const domain::Caller& caller) {
  base::Sha256 digest;
  for (const std::string_view part : {std::string_view(request.method), std::string_view(request.path),
                                      std::string_view(request.query), std::string_view(request.body)}) {
    digest.add(std::to_string(part.size()) + ':');
    digest.add(part);
  }
  digest.add(caller.actor);
  return base::to_hex(digest.finish());
}

/// The key, or nothing.
Result<std::string> read_key(const Headers& headers) {
  std::string key = headers.lines(kIdempotencyKey);
  if (auto checked = domain::check_idempotency_key(key); !checked) return std::unexpected(std::move(checked.error()));
  return key;
}

/// The answer that was given before; nothing where the key is new.
Result<std::optional<ApiAnswer>> find_answer(ApiCall& call, const std::string& key, const std::string& digest) {
  const auto known = call.transaction.find_idempotency(call.caller.environment.id, key);
  if (!known || call.now - known->created_at >= call.policy.idempotency_lifetime) return std::optional<ApiAnswer>{};
  if (known->request_digest != digest)
    return domain::refuse(ErrorCode::idempotency_mismatch,
                          "This Idempotency-Key was used for another call: use a new key for each.",
                          std::string(kIdempotencyKey));
  ApiAnswer answer{known->status, Json::parse(known->answer, nullptr, /*allow_exceptions=*/false)};
  answer.headers.emplace_back("Idempotent-Replayed", "true");
  return answer;
}

std::string text_of(const Json& body) { return body.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

RouteOptions api_route_options(ErrorRenderer render_error, ApiBody body) {
  RouteOptions options{.max_body = kMaxJsonBody,
                       .content_types = {},
                       .error_renderer = std::move(render_error),
                       .is_cross_origin = true};
  if (body == ApiBody::json) options.content_types = {"application/json"};
  return options;
}

Result<domain::Caller> authenticate_api_token(const Request& request, domain::Context& context) {
  const Credential credential = read_credential(request);
  // Without any, too, after the same work: nothing is learned by it.
  return domain::authenticate_token(credential.secret.reveal(), request.client_address, context);
}

ApiCalls::ApiCalls(domain::Context& context, ErrorWriter write_error, Authenticator authenticate)
    : context_(context), write_error_(std::move(write_error)), authenticate_(std::move(authenticate)) {}

Response ApiCalls::read(const Request& request, const ApiWork& work) const {
  const auto caller = authenticate_(request, context_);
  if (!caller) return refuse(caller.error());
  auto answer = domain::read_returning(context_.store, [&](domain::Transaction& transaction) {
    ApiCall call{request, *caller, transaction, context_.policy, context_.clock.now()};
    return work(call);
  });
  if (!answer) return refuse(answer.error());
  return to_response(*std::move(answer));
}

Response ApiCalls::write(const Request& request, const ApiWork& work, const domain::Foresight& foresight) const {
  const auto caller = authenticate_(request, context_);
  if (!caller) return refuse(caller.error());
  const auto key = read_key(request.headers);
  if (!key) return refuse(key.error());
  const std::string digest = key->empty() ? std::string() : digest_of(request, *caller);

  const auto in_transaction = [&](domain::Transaction& transaction) -> Result<ApiAnswer> {
    const base::Timestamp now = context_.clock.now();
    const auto current = domain::find_again(*caller, transaction, now);
    if (!current) return std::unexpected(current.error());
    ApiCall call{request, *current, transaction, context_.policy, now};
    if (!key->empty()) {
      auto before = find_answer(call, *key, digest);
      if (!before) return std::unexpected(std::move(before.error()));
      if (*before) return **std::move(before);
    }
    auto done = work(call);
    if (done && !key->empty())
      transaction.insert(
          domain::IdempotencyRecord{current->environment.id, *key, digest, now, done->status, text_of(done->body)});
    return done;
  };
  auto answer = domain::write_returning(context_.store, in_transaction, domain::Urgency::new_work, foresight);
  if (!answer) return refuse(answer.error());
  if (answer->mail_queued) context_.mail_queued();
  if (answer->refresh_queued) context_.refresh_queued();
  return to_response(*std::move(answer));
}

Response ApiCalls::refuse_input(const Request& request, Response refusal) const {
  const auto caller = authenticate_(request, context_);
  return caller ? std::move(refusal) : refuse(caller.error());
}

Response ApiCalls::to_response(ApiAnswer answer) const {
  if (answer.reveal) answer.reveal(answer.body);
  Response response = make_json(answer.status, answer.body);
  for (const auto& [name, value] : answer.headers) response.headers.set(name, value);
  return response;
}

}  // namespace invited::http
