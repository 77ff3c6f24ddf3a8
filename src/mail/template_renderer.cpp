#include "mail/template_renderer.h"

#include <algorithm>
#include <exception>
#include <kainjow/mustache.hpp>

#include "base/translation.h"
#include "domain/web_url.h"
#include "mail/name_guard.h"

namespace invited::mail {

namespace {

namespace mustache = kainjow::mustache;

constexpr std::size_t kTextWidth = 72;

/// Remembers a name that the template asks for and nobody fills: Mustache itself would print nothing.
class StrictContext final : public mustache::context<std::string> {
 public:
  explicit StrictContext(const mustache::data* data) { StrictContext::push(data); }

  const mustache::data* get(const std::string& name) const override { return note(name, context::get(name)); }
  const mustache::data* get_partial(const std::string& name) const override {
    return note(name, context::get_partial(name));
  }
  const std::string& missing() const { return missing_; }

 private:
  const mustache::data* note(const std::string& name, const mustache::data* found) const {
    if (found == nullptr && missing_.empty()) missing_ = name;
    return found;
  }
  mutable std::string missing_;
};

mustache::data translating_section(base::Language language) {
  return mustache::data{mustache::lambda2{[language](const std::string& text, const mustache::renderer& fill) {
    return fill(base::translate(language, base::on_one_line(text)));
  }}};
}

/// Folds one line at blanks. What has no blank (a URL) stays whole.
std::string folded(std::string_view line) {
  std::string result;
  while (line.size() > kTextWidth) {
    auto cut = line.rfind(' ', kTextWidth);
    if (cut == std::string_view::npos || cut == 0) cut = line.find(' ', kTextWidth);
    if (cut == std::string_view::npos) break;
    result += line.substr(0, cut);
    result += '\n';
    line.remove_prefix(cut + 1);
  }
  return result += line;
}

/// Lines folded, no blanks at their ends, one empty line between paragraphs, one line end at the end.
std::string laid_out_as_text(std::string_view text) {
  std::string result;
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
    result += folded(line) + '\n';
  }
  return result;
}

/// Lines of running text folded; lines with tags stay as the template has them.
std::string laid_out_as_html(std::string_view html) {
  std::string result;
  while (!html.empty()) {
    const std::string_view line = html.substr(0, html.find('\n'));
    html.remove_prefix(std::min(line.size() + 1, html.size()));
    result += line.find_first_of("<>") == std::string_view::npos ? folded(line) : std::string(line);
    result += '\n';
  }
  return result;
}

/// Mustache's own writes &apos;, which not every mail program knows.
std::string escape_html(const std::string& value) {
  std::string escaped;
  for (const char c : value) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

enum class Escaping { none, html };

class Filler {
 public:
  Filler(std::span<const base::EmbeddedFile> files, mustache::data data) : files_(files), data_(std::move(data)) {
    // Parts that several templates share are files too: {{> foot.html}} is foot.html.mustache.
    for (const base::EmbeddedFile& file : files_) {
      const std::string_view name = file.name.substr(0, file.name.find(".mustache"));
      data_.set(std::string(name), mustache::data{std::string(file.content)});
    }
  }

  domain::Result<std::string> fill(const std::string& name, Escaping escaping) {
    const auto wrong = [&name](const std::string& why) {
      return domain::refuse(domain::ErrorCode::invalid_parameter, "mail template " + name + " " + why);
    };
    const base::EmbeddedFile* file = find(name + ".mustache");
    if (file == nullptr) return wrong("does not exist");
    mustache::mustache text{std::string(file->content)};
    if (!text.is_valid()) return wrong("is malformed: " + text.error_message());
    if (escaping == Escaping::html)
      text.set_custom_escape(escape_html);
    else
      text.set_custom_escape([](const std::string& value) { return value; });

    StrictContext context(&data_);
    std::string filled = text.render(context);
    if (!text.is_valid()) return wrong("is malformed: " + text.error_message());
    if (!context.missing().empty()) return wrong("asks for {{" + context.missing() + "}}, which nothing fills");
    if (filled.size() > kLongestPart) return wrong("becomes longer than " + std::to_string(kLongestPart) + " bytes");
    return filled;
  }

 private:
  const base::EmbeddedFile* find(std::string_view name) const {
    for (const base::EmbeddedFile& file : files_)
      if (file.name == name) return &file;
    return nullptr;
  }

  std::span<const base::EmbeddedFile> files_;
  mustache::data data_;
};

mustache::data values_of(const domain::OutboxMessage& message, std::string_view link, std::string_view sender) {
  mustache::data data{mustache::data::type::object};
  const bool has_inviter = !message.inviter_name.empty();
  data.set("language", std::string(base::to_string(message.language)));
  data.set("inviter", guard_name(message.inviter_name));
  data.set("app", guard_name(message.app_name));
  data.set("role", guard_name(message.role_name));
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
  data.set("t", translating_section(message.language));
  return data;
}

}  // namespace

domain::Result<RenderedMail> TemplateRenderer::render(const domain::OutboxMessage& message, std::string_view link,
                                                      std::string_view sender) const {
  try {
    Filler filler(files_, values_of(message, link, sender));
    const std::string kind(domain::to_string(message.kind));
    auto subject = filler.fill(kind + ".subject", Escaping::none);
    if (!subject) return std::unexpected(std::move(subject.error()));
    auto text = filler.fill(kind + ".text", Escaping::none);
    if (!text) return std::unexpected(std::move(text.error()));
    auto html = filler.fill(kind + ".html", Escaping::html);
    if (!html) return std::unexpected(std::move(html.error()));
    return RenderedMail{base::on_one_line(*subject), laid_out_as_text(*text), laid_out_as_html(*html)};
  } catch (const std::exception& failure) {
    return domain::refuse(domain::ErrorCode::invalid_parameter, std::string("mail template: ") + failure.what());
  }
}

std::vector<std::string> translatable_texts(std::string_view template_text) {
  constexpr std::string_view kBegin = "{{#t}}";
  constexpr std::string_view kEnd = "{{/t}}";
  std::vector<std::string> texts;
  for (auto begin = template_text.find(kBegin); begin != std::string_view::npos;
       begin = template_text.find(kBegin, begin)) {
    begin += kBegin.size();
    texts.push_back(base::on_one_line(template_text.substr(begin, template_text.find(kEnd, begin) - begin)));
  }
  return texts;
}

}  // namespace invited::mail
