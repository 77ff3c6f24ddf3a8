// Pages that show captured mails: for `invited demo` only, where mail goes to a folder instead of a relay. Who reads
// them can follow every link, so main never registers them in a service. What is in a mail is shown as text; its HTML
// part is shown by itself in a sandboxed frame without scripts, forms and remote content. Thread-safe where
// `CapturedMails` is.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/html.h"

namespace invited::http {

class Router;

/// A mail as parsed by whoever knows MIME; http does not. Texts are UTF-8, decoded.
struct CapturedMail {
  std::string file;  ///< name in the folder, "….eml": its key
  std::string from;
  std::string to;
  std::string subject;
  std::string date;
  std::string text;  ///< the text/plain part
  std::string html;  ///< the text/html part; empty where there is none
};

/// The port to the folder. Both may be called from several threads at once.
struct CapturedMails {
  /// Newest first; `text` and `html` need not be filled.
  std::function<std::vector<CapturedMail>()> list;
  /// Nothing where no captured mail has that file name; never reads a file that `list` would not name.
  std::function<std::optional<CapturedMail>(std::string_view file)> find;
};

/// GET /demo/mails, /demo/mails/{file}, /demo/mails/{file}/html.
void add_captured_mail_routes(Router& router, std::shared_ptr<const PageRenderer> renderer, CapturedMails mails);

}  // namespace invited::http
