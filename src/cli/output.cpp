#include "cli/output.h"

#include <algorithm>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/translation.h"
#include "cli/command_line.h"
#include "cli/table.h"

namespace invited::cli {
namespace {

using admin::Json;

/// "environment_uuid" → "environment UUID".
std::string label_of(std::string member) {
  for (char& c : member)
    if (c == '_') c = ' ';
  for (const auto& [written, read] :
       {std::pair("uuid", "UUID"), std::pair("url", "URL"), std::pair("api", "API"), std::pair("openid", "OpenID")})
    for (std::size_t at = 0; (at = member.find(written, at)) != std::string::npos; at += std::strlen(read))
      if (at == 0 || member[at - 1] == ' ') member.replace(at, std::strlen(written), read);
  return member;
}

bool is_list_of_texts(const Json& value) {
  return value.is_array() && !value.empty() &&
         std::ranges::all_of(value, [](const Json& entry) { return entry.is_string(); });
}

std::string text_of(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_array() && value.empty()) return "";
  if (is_list_of_texts(value)) {
    std::string texts;
    for (const Json& text : value) texts += (texts.empty() ? "" : ", ") + text.get<std::string>();
    return texts;
  }
  return value.dump();
}

/// Where nothing does not mean none, what it means.
std::string text_of(std::string_view member, const Json& value) {
  return member == "events" && value.is_null() ? "all" : text_of(value);
}

std::string member_text(const Json& object, std::string_view member) {
  const auto found = object.find(std::string(member));
  return found == object.end() ? "" : text_of(member, *found);
}

std::vector<std::pair<std::string, std::string>> lines_of(const Json& object, bool with_empty) {
  std::vector<std::pair<std::string, std::string>> lines;
  for (const auto& [member, value] : object.items())
    if ((!value.is_structured() || is_list_of_texts(value)) && (with_empty || !value.is_null()))
      lines.emplace_back(label_of(member), base::on_one_line(text_of(member, value)));
  return lines;
}

}  // namespace

void print_json(const Json& json) { std::cout << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n'; }

void print_list(const CommandSpec& spec, const Json& list) {
  if (list.empty()) {
    std::cout << "Nothing to list.\n";
    return;
  }
  std::vector<std::string> header;
  for (const Column& column : spec.columns) header.emplace_back(column.header);
  std::vector<std::vector<std::string>> rows;
  for (const Json& object : list) {
    rows.emplace_back();
    for (const Column& column : spec.columns) rows.back().push_back(member_text(object, column.member));
  }
  std::cout << format_table(header, rows);
}

void print_object(const CommandSpec& spec, const Json& object) {
  if (!spec.headline.empty()) std::cout << spec.headline << "\n\n";
  std::cout << format_lines(lines_of(object, /*with_empty=*/true));
  // What has parts of its own, below it: the profile of an account, leaving out what is not said.
  for (const auto& [member, value] : object.items()) {
    if (!value.is_object()) continue;
    const auto lines = lines_of(value, /*with_empty=*/false);
    std::cout << '\n' << label_of(member) << ":\n" << (lines.empty() ? "  -\n" : format_lines(lines));
  }
  // What a thing consists of, as a table below it: the attempts of a mail.
  for (const auto& [member, value] : object.items()) {
    if (!value.is_array() || value.empty() || is_list_of_texts(value) || !spec.headline.empty()) continue;
    std::vector<std::string> header;
    for (const auto& [name, inner] : value.front().items()) header.push_back(label_of(name));
    std::vector<std::vector<std::string>> rows;
    for (const Json& entry : value) {
      rows.emplace_back();
      for (const auto& [name, inner] : entry.items()) rows.back().push_back(text_of(inner));
    }
    std::cout << '\n' << label_of(member) << ":\n" << format_table(header, rows);
  }
  if (!spec.note.empty()) std::cout << '\n' << spec.note << '\n';
}

void print_hold(const Json& hold) {
  std::cout << "The queue is held since " << member_text(hold, "since") << ": "
            << printable(member_text(hold, "explanation")) << " (" << member_text(hold, "stage")
            << "). No mail is charged for it. Next try: " << member_text(hold, "next_try_at")
            << ". Mend the cause (invited check), then: invited mail retry --all\n\n";
}

void print_held(const Json& held) {
  std::cout << member_text(held, "count")
            << " mails are held: they were owed when the backup was made that was restored ("
            << member_text(held, "restored_at")
            << "), and may have been sent since. Fresh links instead: invited invitation resend --after-restore. Then "
               "let the rest go (invited mail release --all) or drop it (invited mail cancel --held).\n\n";
}

int print_error(const domain::Error& error) {
  std::cerr << "invited: " << printable(error.message) << '\n';
  return kRefused;
}

}  // namespace invited::cli
