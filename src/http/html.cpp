#include "http/html.h"

#include <algorithm>
#include <kainjow/mustache.hpp>
#include <utility>

#include "base/ascii.h"
#include "base/log.h"
#include "base/markup.h"
#include "http/assets.h"

namespace invited::http {
namespace {

namespace mustache = kainjow::mustache;

constexpr std::string_view kPartPrefix = "part_";

std::string_view find_template(std::string_view name) {
  for (const base::EmbeddedFile& file : templates::files())
    if (file.name == name) return file.content;
  return {};
}

mustache::data to_mustache(const PageData& data) {
  mustache::data result{mustache::data::type::object};
  for (const auto& [name, value] : data.values()) {
    if (const auto* text = std::get_if<std::string>(&value)) {
      result.set(name, *text);
    } else if (const auto* flag = std::get_if<bool>(&value)) {
      result.set(name, mustache::data{*flag ? mustache::data::type::bool_true : mustache::data::type::bool_false});
    } else {
      mustache::data items{mustache::data::type::list};
      for (const PageData& item : std::get<std::vector<PageData>>(value)) items << to_mustache(item);
      result.set(name, items);
    }
  }
  return result;
}

/// A browser reads HTML where it says so; a program that says nothing, or anything at all, gets text.
bool wants_html(const Request& request) { return request.headers.get("Accept").find("text/html") != std::string::npos; }

std::string_view error_template(int status) {
  switch (status) {
    case 403:
      return "error_forbidden.html";
    case 404:
      return "error_not_found.html";
    case 405:
      return "error_method.html";
    case 429:
      return "error_rate_limited.html";
    case 503:
      return "error_unavailable.html";
    default:
      return status < 500 ? "error_request.html" : "error_server.html";
  }
}

std::string_view error_line(int status) {
  switch (status) {
    case 403:
      return "Forbidden.\n";
    case 404:
      return "Not found.\n";
    case 405:
      return "Method not allowed.\n";
    case 429:
      return "Too many requests. Try again later.\n";
    case 503:
      return "Temporarily unavailable. Try again shortly.\n";
    default:
      return status < 500 ? "The request cannot be understood.\n" : "Something went wrong on our side.\n";
  }
}

}  // namespace

PageData& PageData::text(std::string name, std::string value) {
  values_.insert_or_assign(std::move(name), std::move(value));
  return *this;
}

PageData& PageData::flag(std::string name, bool value) {
  values_.insert_or_assign(std::move(name), value);
  return *this;
}

PageData& PageData::list(std::string name, std::vector<PageData> value) {
  values_.insert_or_assign(std::move(name), std::move(value));
  return *this;
}

PageRenderer::PageRenderer(std::string_view public_url, base::Language fallback) : fallback_(fallback) {
  const auto authority = public_url.find("://") == std::string_view::npos ? 0 : public_url.find("://") + 3;
  const auto path = std::min(public_url.find_first_of("/?#", authority), public_url.size());
  origin_ = base::to_lower_ascii(public_url.substr(0, path));
  const std::string_view default_port = origin_.starts_with("https:") ? ":443" : ":80";
  if (origin_.ends_with(default_port)) origin_.resize(origin_.size() - default_port.size());
  base_path_ = public_url.substr(path, public_url.find_first_of("?#", path) - path);
  while (base_path_.ends_with('/')) base_path_.pop_back();
}

base::Language PageRenderer::language_of(const Request& request) const {
  return base::negotiate_language(request.headers.get("Accept-Language"), fallback_);
}

Response PageRenderer::render(const Request& request, const PageSpec& spec, PageData data) const {
  const base::Language language = language_of(request);
  const std::string_view source = find_template(spec.template_name);
  const auto title_end = std::min(source.find('\n'), source.size());

  data.text("base", base_path_)
      .text("lang", std::string(base::to_string(language)))
      .text("stylesheet", asset_path("invited.css"))
      .text("icon", asset_path("icon.svg"));
  if (!spec.script.empty()) data.text("script", asset_path(spec.script));
  mustache::data values = to_mustache(data);
  values.set("title", std::string(source.substr(0, title_end)));
  for (const base::EmbeddedFile& file : templates::files())
    if (file.name.starts_with(kPartPrefix))
      values.set(std::string(file.name.substr(0, file.name.rfind('.'))), std::string(file.content));
  values.set("content", std::string(source.substr(std::min(title_end + 1, source.size()))));
  values.set("t", mustache::data{mustache::lambda2{[language](const std::string& text, const mustache::renderer& fill) {
               return fill(base::escape_markup(base::translate(language, base::on_one_line(text))), false);
             }}});

  mustache::mustache layout{std::string(find_template("layout.html"))};
  std::string body = layout.render(values);
  if (!layout.is_valid() || source.empty())
    base::log::error("page.template_invalid", {{"template", spec.template_name}, {"reason", layout.error_message()}});
  if (spec.padded_size > 0) body.append((spec.padded_size - body.size() % spec.padded_size) % spec.padded_size, '\n');

  Response response = make_response(spec.status, "text/html; charset=utf-8", std::move(body));
  response.headers.set("Content-Language", base::to_string(language));
  response.headers.set("Vary", "Accept-Language");
  response.headers.set("Cache-Control", "no-store");
  response.headers.set("Content-Security-Policy", content_security_policy(!spec.script.empty()));
  return response;
}

Response PageRenderer::error_page(int status, const Request& request) const {
  if (wants_html(request)) return render(request, {.status = status, .template_name = error_template(status)}, {});
  return make_response(status, "text/plain; charset=utf-8", std::string(error_line(status)));
}

ErrorRenderer page_error_renderer(std::shared_ptr<const PageRenderer> renderer) {
  return [pages = std::move(renderer)](int status, std::string_view, const Request& request) {
    Request browser;
    browser.headers.add("Accept", "text/html");
    if (const auto language = request.headers.find("Accept-Language"))
      browser.headers.add("Accept-Language", *language);
    return pages->error_page(status, browser);
  };
}

std::string content_security_policy(bool with_script) {
  std::string policy =
      "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
      "frame-ancestors 'none'";
  if (with_script) policy += "; script-src 'self'";
  return policy;
}

std::vector<std::string> translatable_texts(std::string_view template_text) {
  constexpr std::string_view kOpen = "{{#t}}";
  constexpr std::string_view kClose = "{{/t}}";
  std::vector<std::string> texts;
  for (auto at = template_text.find(kOpen); at != std::string_view::npos; at = template_text.find(kOpen, at)) {
    at += kOpen.size();
    const auto end = template_text.find(kClose, at);
    if (end == std::string_view::npos) break;
    texts.push_back(base::on_one_line(template_text.substr(at, end - at)));
    at = end;
  }
  return texts;
}

}  // namespace invited::http
