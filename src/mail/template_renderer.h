// The words of a mail: fills the three Mustache files of its kind (templates/<kind>.{subject,text,html}.mustache) in
// the message's language. `{{#t}}English text with {{names}}{{/t}}` is looked up with base::translate, white space made
// single blanks. Knows nothing of MIME. Anything wrong with a template (missing, malformed, a name that nobody fills,
// too long a result) is an Error, never a mail with a hole in it. Shared between threads; copies share what was parsed.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/embedded_file.h"
#include "domain/error.h"
#include "domain/outbox_message.h"

namespace invited::mail {

namespace templates {
std::span<const base::EmbeddedFile> files();
}

struct RenderedMail {
  std::string subject;  ///< one line, UTF-8
  std::string text;     ///< UTF-8, LF, paragraphs folded at 72; a URL stands unbroken by itself on a line
  std::string html;     ///< UTF-8, LF
};

inline constexpr std::size_t kLongestPart = 100'000;  ///< bytes of any part

class TemplateRenderer {
 public:
  /// `files` must outlive it. Tests pass broken ones.
  explicit TemplateRenderer(std::span<const base::EmbeddedFile> files = templates::files());

  /// `link`: from message_link(), empty where the kind has none. `sender`: who runs this service. Errors:
  /// invalid_parameter, saying which template and why.
  domain::Result<RenderedMail> render(const domain::OutboxMessage& message, std::string_view link,
                                      std::string_view sender) const;

 private:
  class Cache;
  std::shared_ptr<Cache> cache_;
};

/// The texts of a template that must stand in every catalogue, as they are looked up.
std::vector<std::string> translatable_texts(std::string_view template_text);

}  // namespace invited::mail
