// HTML pages: fills a Mustache template (embedded, escaped by default) inside the layout, in the reader's language.
// A template's first line is the page's title, the rest its content; `{{#t}}English text with {{names}}{{/t}}` is
// translated by base::translate; `{{> part_x}}` puts in part_x.html, which pages share. Not for deciding what a page
// says. Links begin with the configured public URL's path and never with anything from the request. Immutable once
// made; shared between threads.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/embedded_file.h"
#include "base/translation.h"
#include "http/message.h"
#include "http/router.h"

namespace invited::http {

namespace templates {
std::span<const base::EmbeddedFile> files();
}

/// What a template is filled with: texts (escaped by the template), flags and lists by name.
class PageData {
 public:
  using Value = std::variant<std::string, bool, std::vector<PageData>>;

  PageData& text(std::string name, std::string value);
  PageData& flag(std::string name, bool value = true);
  PageData& list(std::string name, std::vector<PageData> value);
  const std::map<std::string, Value>& values() const { return values_; }

 private:
  std::map<std::string, Value> values_;
};

/// Which page it is, beside its data.
struct PageSpec {
  int status = 200;
  std::string_view template_name;  ///< "invitation.html"
  std::string_view script = {};    ///< one of our assets to load, "password.js"; empty: no script may run
  std::size_t padded_size = 0;     ///< the body is filled up to a multiple of this; 0: not at all
};

class PageRenderer {
 public:
  /// `public_url`: absolute http(s) URL under which the service is reached, a path allowed. `fallback`: the language
  /// where the browser names none of ours.
  PageRenderer(std::string_view public_url, base::Language fallback);

  /// "https://invite.example.com", as browsers write it in `Origin`: lower case, without a default port.
  const std::string& origin() const { return origin_; }
  /// The public URL's path without a trailing slash: "" or "/invited". All links begin with it.
  const std::string& base_path() const { return base_path_; }

  base::Language language_of(const Request& request) const;

  /// Complete with Content-Type, Content-Language, Vary, Cache-Control and Content-Security-Policy.
  Response render(const Request& request, const PageSpec& spec, PageData data) const;

  /// What went wrong, as a page for browsers (`Accept` names text/html) and as one line of text for others. Any status
  /// from 400 on. Names nothing from the request.
  Response error_page(int status, const Request& request) const;

 private:
  std::string origin_;
  std::string base_path_;
  base::Language fallback_;
};

/// For RouteOptions::error_renderer: what the listener refuses by itself on the path of a page (405, 413, 503, …), as a
/// page in the reader's language.
ErrorRenderer page_error_renderer(std::shared_ptr<const PageRenderer> renderer);

/// The policy of our own pages: nothing but our own style sheet, images and forms; scripts where they are needed.
std::string content_security_policy(bool with_script);

/// The msgids of a template's `{{#t}}` sections, as they are looked up: one line, single blanks.
std::vector<std::string> translatable_texts(std::string_view template_text);

}  // namespace invited::http
