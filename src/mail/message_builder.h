// From an outbox message to the bytes of its mail: multipart/alternative, text first, 7-bit clean, CRLF, no line over
// 998. Every copy of a message has equal bytes: Date, Message-ID and boundary come from the message, nothing from the
// clock or from chance (promises.md 5). Does not send. Immutable; shared between threads.
#pragma once

#include <string>
#include <string_view>

#include "domain/error.h"
#include "domain/outbox_message.h"
#include "mail/settings.h"
#include "mail/template_renderer.h"

namespace invited::mail {

class MessageBuilder {
 public:
  /// `renderer`'s files must outlive it.
  explicit MessageBuilder(const Settings& settings, TemplateRenderer renderer = TemplateRenderer{});

  /// The whole RFC 5322 message. `link`: from message_link(). Errors: invalid_parameter where it cannot be rendered.
  domain::Result<std::string> build(const domain::OutboxMessage& message, std::string_view link) const;

  /// Only the words, for showing them; pass redacted_link().
  domain::Result<RenderedMail> render(const domain::OutboxMessage& message, std::string_view link) const;

 private:
  std::string from_;
  std::string from_name_;
  std::string reply_to_;
  std::string sender_fields_;  ///< From and Reply-To
  std::string message_id_domain_;
  TemplateRenderer renderer_;
};

}  // namespace invited::mail
