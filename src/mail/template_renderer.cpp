#include "mail/template_renderer.h"

#include <algorithm>
#include <exception>
#include <kainjow/mustache.hpp>
#include <map>
#include <mutex>
#include <utility>

#include "base/markup.h"
#include "base/translation.h"
#include "base/utf8.h"
#include "domain/app.h"
#include "domain/web_url.h"
#include "mail/name_guard.h"

namespace invited::mail {

namespace {

namespace mustache = kainjow::mustache;

constexpr std::size_t kTextWidth = 72;  ///< code points
/// Mail programs know it by the blank behind it (RFC 3676 section 4.3), which a template cannot hold.
constexpr std::string_view kSignatureMark = "--";

/// Remembers a name that the template asks for and nobody fills: Mustache itself would print nothing.
class StrictContext final : public mustache::context<std::string> {
 public:
  explicit StrictContext(const mustache::data* data) { StrictContext::push(data); }

  const mustache::data* get(const std::string& name) const override { return note(name, context::get(name)); }
  const std::string& missing() const { return missing_; }

 private:
  const mustache::data* note(const std::string& name, const mustache::data* found) const {
    if (found == nullptr && missing_.empty()) missing_ = name;
    return found;
  }
  mutable std::string missing_;
};

/// Adds a line, folded at blanks. What has no blank (a URL) stays whole.
void add_folded(std::string& result, std::string_view line) {
  while (base::count_code_points(line) > kTextWidth) {
    const std::size_t width = base::truncate_code_points(line, kTextWidth).size();
    auto cut = line.rfind(' ', width);
    if (cut == std::string_view::npos || cut == 0) cut = line.find(' ', width);
    if (cut == std::string_view::npos) break;
    result += line.substr(0, cut);
    result += '\n';
    line.remove_prefix(cut + 1);
  }
  result.append(line) += '\n';
}

/// Lines folded, no blanks at their ends but behind the mark of a signature, one empty line between paragraphs, one
/// line end at the end.
std::string laid_out_as_text(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  bool empty_line = false;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string line = base::on_one_line(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty()) {
      empty_line = !result.empty();
      continue;
    }
    if (empty_line) result += '\n';
    empty_line = false;
    add_folded(result, line);
    if (line == kSignatureMark) result.insert(result.size() - 1, 1, ' ');
  }
  return result;
}

/// Lines of running text folded; lines with tags stay as the template has them.
std::string laid_out_as_html(std::string_view html) {
  std::string result;
  result.reserve(html.size() + 1);
  while (!html.empty()) {
    const std::string_view line = html.substr(0, html.find('\n'));
    html.remove_prefix(std::min(line.size() + 1, html.size()));
    if (line.find('<') == std::string_view::npos && line.find('>') == std::string_view::npos)
      add_folded(result, line);
    else
      result.append(line) += '\n';
  }
  return result;
}

enum class Escaping { none, html };

constexpr std::string_view kEnding = ".mustache";
constexpr std::string_view kBeginText = "{{#t}}";
constexpr std::string_view kEndText = "{{/t}}";
constexpr std::string_view kBeginPart = "{{> ";
constexpr std::string_view kEndTag = "}}";
constexpr int kDeepestPart = 8;

std::unexpected<domain::Error> wrong(std::string_view name, const std::string& why) {
  return domain::refuse(domain::ErrorCode::invalid_parameter, "mail template " + std::string(name) + " " + why);
}

/// A template in one language, parsed. Filling writes into it.
struct Prepared {
  Prepared(const std::string& text, Escaping escaping) : parsed(text) {
    if (escaping == Escaping::html)
      parsed.set_custom_escape(base::escape_markup);
    else
      parsed.set_custom_escape([](const std::string& value) { return value; });
  }

  std::mutex mutex;
  mustache::mustache parsed;
};

/// "User, Planner": each of domain::names_of() guarded by itself, as each may be as long as a name.
std::string guard_names(std::string_view names) {
  std::string guarded;
  while (!names.empty()) {
    const std::string_view name = names.substr(0, names.find('\n'));
    names.remove_prefix(std::min(name.size() + 1, names.size()));
    guarded += (guarded.empty() ? "" : ", ") + guard_name(name);
  }
  return guarded;
}

mustache::data values_of(const domain::OutboxMessage& message, std::string_view link, std::string_view sender) {
  mustache::data data{mustache::data::type::object};
  const bool has_inviter = !message.inviter_name.empty();
  data.set("language", std::string(base::to_string(message.language)));
  data.set("inviter", guard_name(message.inviter_name));
  data.set("app", guard_name(message.app_name));
  data.set("role", guard_names(message.role_name));
  data.set("several_roles", domain::are_several(message.role_name));
  data.set("sender", guard_name(sender));
  // What stands above the mail: the app that it is about, or who sends it.
  data.set("title", guard_name(message.app_name.empty() ? sender : message.app_name));
  data.set("has_inviter", has_inviter);
  // Their own address, as it was parsed: to be read as it is.
  data.set("recipient", message.recipient.text());
  data.set("expires", base::date_and_time_in_words(message.language, message.expires_at));
  data.set("link", base::on_one_line(link));
  data.set("app_url", base::on_one_line(message.app_url));
  // Entered by an operator and checked then; still nothing else than a web page is linked to.
  data.set("has_app_url", domain::is_web_url(message.app_url));
  return data;
}

}  // namespace

/// Templates as they are before a message's values are filled in, each parsed once: that costs ten times as much as
/// filling. Thread-safe.
class TemplateRenderer::Cache {
 public:
  explicit Cache(std::span<const base::EmbeddedFile> files) : files_(files) {}

  domain::Result<std::string> fill(const std::string& name, base::Language language, Escaping escaping,
                                   const mustache::data& data) {
    const auto found = prepare(name, language, escaping);
    if (!found) return std::unexpected(found.error());
    Prepared& prepared = **found;
    const std::lock_guard lock(prepared.mutex);
    if (!prepared.parsed.is_valid()) return wrong(name, "is malformed: " + prepared.parsed.error_message());
    StrictContext context(&data);
    std::string filled = prepared.parsed.render(context);
    if (!prepared.parsed.is_valid()) return wrong(name, "is malformed: " + prepared.parsed.error_message());
    if (!context.missing().empty()) return wrong(name, "asks for {{" + context.missing() + "}}, which nothing fills");
    if (filled.size() > kLongestPart)
      return wrong(name, "becomes longer than " + std::to_string(kLongestPart) + " bytes");
    return filled;
  }

 private:
  domain::Result<Prepared*> prepare(const std::string& name, base::Language language, Escaping escaping) {
    const std::lock_guard lock(mutex_);
    auto& prepared = prepared_[{name, language}];
    if (!prepared) {
      const base::EmbeddedFile* file = find(name);
      if (file == nullptr) return wrong(name, "does not exist");
      auto text = flatten(name, file->content, language, 0);
      if (!text) return std::unexpected(std::move(text.error()));
      prepared = std::make_unique<Prepared>(*text, escaping);
    }
    return prepared.get();
  }

  /// The template with the parts in it that several share ({{> foot.html}} is foot.html.mustache) and its texts in that
  /// language: only names and sections are left.
  domain::Result<std::string> flatten(const std::string& name, std::string_view rest, base::Language language,
                                      int depth) const {
    if (depth > kDeepestPart) return wrong(name, "is malformed: a part contains itself");
    std::string flat;
    while (!rest.empty()) {
      const auto text = rest.find(kBeginText);
      const auto next = std::min(text, rest.find(kBeginPart));
      flat += rest.substr(0, next);
      if (next == std::string_view::npos) break;
      const std::string_view begin_mark = next == text ? kBeginText : kBeginPart;
      const std::string_view end_mark = next == text ? kEndText : kEndTag;
      rest.remove_prefix(next + begin_mark.size());
      const auto end = rest.find(end_mark);
      if (end == std::string_view::npos) return wrong(name, "is malformed: " + std::string(begin_mark) + " has no end");
      const std::string inside(rest.substr(0, end));
      rest.remove_prefix(end + end_mark.size());
      if (next == text) {
        flat += base::translate(language, base::on_one_line(inside));
        continue;
      }
      const base::EmbeddedFile* part = find(inside);
      if (part == nullptr) return wrong(name, "asks for {{> " + inside + "}}, which nothing fills");
      const auto filled = flatten(name, part->content, language, depth + 1);
      if (!filled) return filled;
      flat += *filled;
    }
    return flat;
  }

  const base::EmbeddedFile* find(std::string_view name) const {
    for (const base::EmbeddedFile& file : files_)
      if (file.name.ends_with(kEnding) && file.name.substr(0, file.name.size() - kEnding.size()) == name) return &file;
    return nullptr;
  }

  std::span<const base::EmbeddedFile> files_;
  std::mutex mutex_;
  std::map<std::pair<std::string, base::Language>, std::unique_ptr<Prepared>> prepared_;
};

TemplateRenderer::TemplateRenderer(std::span<const base::EmbeddedFile> files)
    : cache_(std::make_shared<Cache>(files)) {}

domain::Result<RenderedMail> TemplateRenderer::render(const domain::OutboxMessage& message, std::string_view link,
                                                      std::string_view sender) const {
  try {
    const mustache::data values = values_of(message, link, sender);
    const std::string kind(domain::to_string(message.kind));
    auto subject = cache_->fill(kind + ".subject", message.language, Escaping::none, values);
    if (!subject) return std::unexpected(std::move(subject.error()));
    auto text = cache_->fill(kind + ".text", message.language, Escaping::none, values);
    if (!text) return std::unexpected(std::move(text.error()));
    auto html = cache_->fill(kind + ".html", message.language, Escaping::html, values);
    if (!html) return std::unexpected(std::move(html.error()));
    return RenderedMail{base::on_one_line(*subject), laid_out_as_text(*text), laid_out_as_html(*html)};
  } catch (const std::exception& failure) {
    return domain::refuse(domain::ErrorCode::invalid_parameter, std::string("mail template: ") + failure.what());
  }
}

std::vector<std::string> translatable_texts(std::string_view template_text) {
  std::vector<std::string> texts;
  for (auto begin = template_text.find(kBeginText); begin != std::string_view::npos;
       begin = template_text.find(kBeginText, begin)) {
    begin += kBeginText.size();
    texts.push_back(base::on_one_line(template_text.substr(begin, template_text.find(kEndText, begin) - begin)));
  }
  return texts;
}

}  // namespace invited::mail
