#include "soap/engine.h"

#include <stdsoap2.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "soap/gate.h"
#include "soap/xml_scanner.h"

namespace invited::soap {
namespace {

// CANONICAL makes the answer declare the namespaces that it uses, where it uses them, and no others.
constexpr soap_mode kInputMode = SOAP_XML_STRICT | SOAP_XML_TREE | SOAP_C_UTFSTRING | SOAP_ENC_PLAIN;
constexpr soap_mode kOutputMode = SOAP_XML_TREE | SOAP_XML_CANONICAL | SOAP_C_UTFSTRING | SOAP_ENC_PLAIN;

/// What frecv and fsend work on: soap->user.
struct Transfer {
  std::string_view input;
  std::string output;
};

std::size_t receive(struct ::soap* context, char* buffer, std::size_t size) {
  auto& input = static_cast<Transfer*>(context->user)->input;
  const auto count = std::min(size, input.size());
  std::memcpy(buffer, input.data(), count);
  input.remove_prefix(count);
  return count;
}

int send(struct ::soap* context, const char* data, std::size_t size) noexcept try {
  static_cast<Transfer*>(context->user)->output.append(data, size);
  return SOAP_OK;
} catch (const std::bad_alloc&) {
  return SOAP_EOM;
}

}  // namespace

Engine::Engine() = default;
Engine::~Engine() = default;

void Engine::Free::operator()(::soap* context) const {
  soap_destroy(context);
  soap_end(context);
  soap_free(context);
}

Engine::Context Engine::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto context = std::move(idle_.back());
      idle_.pop_back();
      return context;
    }
  }
  Context context(soap_new2(kInputMode, kOutputMode));
  if (!context) throw std::bad_alloc();
  context->frecv = &receive;
  context->fsend = &send;
  context->maxlevel = XmlLimits::kDepth;
  context->maxlength = XmlLimits::kValueBytes;
  context->recv_maxlength = kBodyLimit;
  return context;
}

void Engine::put_back(Context context) noexcept try {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(context));
} catch (const std::bad_alloc&) {
  // No room to remember it: it is freed, and the next call makes another.
}

std::expected<std::string, int> Engine::run(std::string_view envelope, const std::function<int(::soap*)>& serve) {
  Context context = take();
  Transfer transfer{envelope, {}};
  context->user = &transfer;
  int status = soap_begin_serve(context.get());
  if (status == SOAP_OK) status = serve(context.get());
  // The envelope held a password, and the next call does not overwrite these buffers in full.
  explicit_bzero(context->buf, std::min(envelope.size(), sizeof context->buf));
  if (context->labbuf != nullptr) explicit_bzero(context->labbuf, context->lablen);
  soap_destroy(context.get());
  soap_end(context.get());
  context->user = nullptr;
  put_back(std::move(context));
  if (status != SOAP_OK) return std::unexpected(status);
  return std::move(transfer.output);
}

std::size_t Engine::idle() const {
  const std::lock_guard lock(mutex_);
  return idle_.size();
}

}  // namespace invited::soap
