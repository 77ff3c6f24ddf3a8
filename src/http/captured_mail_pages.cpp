#include "http/captured_mail_pages.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "base/ascii.h"
#include "http/router.h"

namespace invited::http {
namespace {

/// Splits a text part where links begin and end, so that the template can make anchors of them. Only our own mails are
/// shown here; their links stand between blanks or line ends.
std::vector<PageData> with_links(std::string_view text) {
  std::vector<PageData> pieces;
  while (!text.empty()) {
    const auto start = std::min({text.find("https://"), text.find("http://"), text.size()});
    if (start > 0) pieces.push_back(PageData().text("words", std::string(text.substr(0, start))));
    text.remove_prefix(start);
    const auto end = std::min(text.find_first_of(" \t\r\n<>\""), text.size());
    if (end > 0) pieces.push_back(PageData().text("link", std::string(text.substr(0, end))));
    text.remove_prefix(end);
  }
  return pieces;
}

/// A file name as it may stand in a path.
std::string percent_encode(std::string_view name) {
  std::string encoded;
  for (const char c : name) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
        c == '.') {
      encoded += c;
    } else {
      std::array<char, 4> escape{};
      std::snprintf(escape.data(), escape.size(), "%%%02X", static_cast<unsigned char>(c));
      encoded += escape.data();
    }
  }
  return encoded;
}

PageData headers_of(const CapturedMail& mail) {
  PageData data;
  data.text("file", percent_encode(mail.file))
      .text("from", mail.from)
      .text("to", mail.to)
      .text("subject", mail.subject)
      .text("date", mail.date);
  return data;
}

/// The HTML part with its links leading out of the frame: a base target, put where the parser stays in standards mode.
std::string leading_out(std::string html) {
  constexpr std::string_view kBase = "<base target=\"_top\">";
  const auto head = html.find("<head>");
  return head == std::string::npos ? std::string(kBase) + html : html.insert(head + 6, kBase);
}

/// Whether the browser went to an address that nobody else's page can have: what shows every mail, links and all, to
/// who comes from this machine must not be read by a site whose name suddenly leads here (DNS rebinding).
bool is_addressed_here(const Request& request, std::string_view origin) {
  const std::string host = base::to_lower_ascii(request.headers.get("Host"));
  if (host.empty() || origin.ends_with("://" + host) || host.starts_with('[')) return true;
  const std::string name = host.substr(0, host.find(':'));
  return name == "localhost" || name.find_first_not_of("0123456789.") == std::string::npos;
}

struct Pages {
  std::shared_ptr<const PageRenderer> renderer;
  CapturedMails mails;

  Response list(const Request& request) const {
    std::vector<PageData> rows;
    for (const CapturedMail& mail : mails.list()) rows.push_back(headers_of(mail));
    PageData data;
    data.flag("wide").flag("has_mails", !rows.empty()).list("mails", std::move(rows));
    Response response =
        renderer->render(request, {.template_name = "captured_mails.html", .script = "mails.js"}, std::move(data));
    response.headers.set("Content-Security-Policy", content_security_policy(true) + "; connect-src 'self'");
    return response;
  }

  Response show(const Request& request) const {
    const auto mail = mails.find(request.path_parameter("file"));
    if (!mail) return renderer->error_page(404, request);
    PageData data = headers_of(*mail);
    data.flag("wide").list("pieces", with_links(mail->text)).flag("has_html", !mail->html.empty());
    Response response = renderer->render(request, {.template_name = "captured_mail.html"}, std::move(data));
    response.headers.set("Content-Security-Policy", content_security_policy(false) + "; frame-src 'self'");
    return response;
  }

  Response show_html(const Request& request) const {
    const auto mail = mails.find(request.path_parameter("file"));
    if (!mail || mail->html.empty()) return renderer->error_page(404, request);
    Response response = make_response(200, "text/html; charset=utf-8", leading_out(mail->html));
    response.headers.set("Cache-Control", "no-store");
    // Mail needs inline styles. Everything else that a page can do stays forbidden, but following a link.
    response.headers.set("Content-Security-Policy",
                         "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "
                         "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox "
                         "allow-top-navigation-by-user-activation");
    response.headers.set("X-Frame-Options", "SAMEORIGIN");
    return response;
  }
};

}  // namespace

void add_captured_mail_routes(Router& router, std::shared_ptr<const PageRenderer> renderer, CapturedMails mails) {
  RouteOptions options;
  options.error_renderer = page_error_renderer(renderer);
  const auto pages = std::make_shared<const Pages>(Pages{std::move(renderer), std::move(mails)});
  using Page = Response (Pages::*)(const Request&) const;
  const auto add = [&](const char* pattern, Page page) {
    router.add(
        "GET", pattern,
        [pages, page](const Request& request) {
          if (is_addressed_here(request, pages->renderer->origin())) return (*pages.*page)(request);
          Response response = make_response(303, "text/plain; charset=utf-8", {});
          response.headers.set("Location", pages->renderer->origin() + pages->renderer->base_path() + "/demo/mails");
          return response;
        },
        options);
  };
  add("/demo/mails", &Pages::list);
  add("/demo/mails/{file}", &Pages::show);
  add("/demo/mails/{file}/html", &Pages::show_html);
}

}  // namespace invited::http
