// The page about /api/v1, made of its OpenAPI document: what is described there is said here, and nothing else.
#include <algorithm>

#include "base/markup.h"
#include "http/assets.h"
#include "http/dialects/v1.h"

namespace invited::http::v1 {
namespace {

using base::escape_markup;

/// Joins its arguments. Text from the document goes through escape_markup first.
template <class... Parts>
std::string join(const Parts&... parts) {
  std::string joined;
  (joined.append(std::string_view(parts)), ...);
  return joined;
}

std::string text_of(const Json& object, const char* name) { return object.value(name, std::string()); }

/// Escaped, with what stands between backticks as code.
std::string prose(std::string_view text) {
  std::string html;
  bool is_code = false;
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find('`', at), text.size());
    const std::string part = escape_markup(text.substr(at, end - at));
    html += is_code ? "<code>" + part + "</code>" : part;
    is_code = !is_code;
    at = end + 1;
  }
  return html;
}

/// A block to copy. Scrollable, so it can be reached by keyboard and has a name.
std::string sample(std::string_view label, std::string_view text) {
  return join("<pre tabindex=\"0\" role=\"region\" aria-label=\"", escape_markup(label), "\"><code>",
              escape_markup(text), "</code></pre>\n");
}

std::string table(std::string_view caption, std::initializer_list<std::string_view> headings, std::string_view rows) {
  std::string html = join("<div class=\"table\" tabindex=\"0\" role=\"region\" aria-label=\"", escape_markup(caption),
                          "\"><table>\n<caption>", escape_markup(caption), "</caption>\n<thead><tr>");
  for (const auto heading : headings) html += join("<th scope=\"col\">", escape_markup(heading), "</th>");
  return html + join("</tr></thead>\n<tbody>\n", rows, "</tbody></table></div>\n");
}

/// What "$ref" leads to.
const Json& resolve(const Json& openapi, const Json& value) {
  const auto reference = value.find("$ref");
  return reference == value.end() ? value : openapi.at(Json::json_pointer(reference->get<std::string>().substr(1)));
}

/// "string, uuid", "integer or null", "list".
std::string type_of(const Json& openapi, const Json& value) {
  const Json& schema = resolve(openapi, value);
  std::string type;
  const Json types = schema.value("type", Json("object"));
  if (types.is_string())
    type = types.get<std::string>();
  else
    for (const Json& one : types) type += (type.empty() ? "" : " or ") + one.get<std::string>();
  if (const std::string format = text_of(schema, "format"); !format.empty()) type += ", " + format;
  if (const auto allowed = schema.find("enum"); allowed != schema.end()) {
    type += ": ";
    for (const Json& one : *allowed)
      if (one.is_string()) type += (type.ends_with(": ") ? "" : ", ") + one.get<std::string>();
  }
  return type;
}

std::string parameter_rows(const Json& openapi, const Json& operation) {
  std::string rows;
  for (const Json& reference : operation.value("parameters", Json::array())) {
    const Json& parameter = resolve(openapi, reference);
    rows += join("<tr><th scope=\"row\">", escape_markup(text_of(parameter, "name")), "</th><td data-label=\"In\">",
                 text_of(parameter, "in"), "</td><td>", escape_markup(type_of(openapi, parameter["schema"])),
                 "</td><td>", prose(text_of(parameter, "description")), "</td></tr>\n");
  }
  return rows;
}

std::string member_rows(const Json& openapi, const Json& schema) {
  std::string rows;
  const Json required = schema.value("required", Json::array());
  for (const auto& [name, member] : schema["properties"].items()) {
    const bool needed = std::ranges::find(required, Json(name)) != required.end();
    rows += join("<tr><th scope=\"row\">", escape_markup(name), "</th><td data-label=\"Needed\">",
                 needed ? "yes" : "no", "</td><td>", escape_markup(type_of(openapi, member)), "</td><td>",
                 prose(text_of(resolve(openapi, member), "description")), "</td></tr>\n");
  }
  return rows;
}

/// The address with values of the parameters that have one.
std::string filled_in(const Json& openapi, std::string path) {
  const std::string id = openapi["components"]["parameters"]["Id"]["example"];
  if (const auto at = path.find("{id}"); at != std::string::npos) path.replace(at, 4, id);
  return openapi["servers"][0]["url"].get<std::string>() + path;
}

std::string sample_call(const Json& openapi, std::string_view method, const std::string& path, const Json& operation) {
  std::string call = "curl";
  if (method != "GET") call += join(" -X ", method);
  call += ' ' + filled_in(openapi, path);
  if (!operation.contains("security")) call += " \\\n  -H \"Authorization: Bearer $TOKEN\"";
  if (operation.contains("requestBody"))
    call += join(" \\\n  -H 'Content-Type: application/json' \\\n  --data '",
                 operation["requestBody"]["content"]["application/json"]["example"].dump(), "'");
  return call + '\n';
}

std::string answer_sections(const Json& openapi, const std::string& title, const Json& operation) {
  std::string html = "<h4>Answers</h4>\n<ul>\n";
  std::string samples;
  for (const auto& [status, reference] : operation["responses"].items()) {
    const Json& answer = resolve(openapi, reference);
    html += join("<li><code>", status, "</code> ", prose(text_of(answer, "description")), "</li>\n");
    const auto content = answer.find("content");
    if (!status.starts_with('2') || content == answer.end()) continue;
    const Json& body = *content->begin();
    if (body.contains("example"))
      samples += sample(join("Sample answer ", status, ": ", title), body["example"].dump(2) + '\n');
  }
  return html + "</ul>\n" + samples;
}

std::string operation_section(const Json& openapi, std::string method, const std::string& path, const Json& operation) {
  for (char& c : method) c = static_cast<char>(c - 'a' + 'A');
  const std::string title = text_of(operation, "summary");
  std::string html = join("<h3 id=\"", text_of(operation, "operationId"), "\">", escape_markup(title),
                          "</h3>\n<p><code>", method, ' ' + std::string(kRoot), escape_markup(path), "</code></p>\n<p>",
                          prose(text_of(operation, "description")), "</p>\n");
  if (const std::string rows = parameter_rows(openapi, operation); !rows.empty())
    html += table("Parameters: " + title, {"Name", "In", "Type", "Meaning"}, rows);
  if (operation.contains("requestBody")) {
    const Json& schema = resolve(openapi, operation["requestBody"]["content"]["application/json"]["schema"]);
    html += table("Body: " + title, {"Name", "Needed", "Type", "Meaning"}, member_rows(openapi, schema));
  }
  html += sample("Sample call: " + title, sample_call(openapi, method, path, operation));
  return html + answer_sections(openapi, title, operation);
}

std::string error_section(const Json& openapi) {
  std::string rows;
  for (const auto& [name, answer] : openapi["components"]["responses"].items()) {
    const auto content = answer.find("content");
    if (content == answer.end()) continue;
    const Json& example = content->begin()->at("example");
    rows += join("<tr><th scope=\"row\">", std::to_string(example["status"].get<int>()),
                 "</th><td data-label=\"code\"><code>", text_of(example, "code"), "</code></td><td>",
                 prose(text_of(answer, "description")), "</td></tr>\n");
  }
  const Json& forbidden = openapi["components"]["responses"]["BadRequest"]["content"]["application/problem+json"];
  std::string codes;
  for (const Json& code : openapi["components"]["schemas"]["Problem"]["properties"]["code"]["enum"])
    codes += join(codes.empty() ? "" : ", ", "<code>", code.get<std::string>(), "</code>");
  return join(
      "<article class=\"card\">\n<h2 id=\"errors\">Errors</h2>\n<p>What does not succeed is answered as "
      "<code>application/problem+json</code> (RFC 9457). <code>code</code> is for programs and stays the same; "
      "<code>detail</code> is a sentence for people. The codes: ",
      codes, ".</p>\n", table("Errors by status", {"Status", "For example", "What it means"}, rows),
      sample("Sample problem", forbidden["example"].dump(2) + '\n'), "</article>\n");
}

}  // namespace

std::string documentation_page(const Json& openapi, std::string_view base_path) {
  std::string contents;
  std::string sections;
  for (const Json& tag : openapi["tags"]) {
    const std::string name = tag["name"];
    std::string body;
    std::string entries;
    for (const auto& [path, methods] : openapi["paths"].items()) {
      for (const auto& [method, operation] : methods.items()) {
        if (operation["tags"][0] != name) continue;
        body += operation_section(openapi, method, path, operation);
        entries += join("<li><a href=\"#", text_of(operation, "operationId"), "\">",
                        escape_markup(text_of(operation, "summary")), "</a></li>\n");
      }
    }
    contents += join("<li>", escape_markup(name), "<ul>\n", entries, "</ul></li>\n");
    sections += join("<article class=\"card\">\n<h2>", escape_markup(name), "</h2>\n", body, "</article>\n");
  }
  const std::string url = openapi["servers"][0]["url"];
  return join(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<title>JSON API: documentation</title>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
      "<meta name=\"color-scheme\" content=\"light dark\"/>\n<link rel=\"icon\" href=\"",
      escape_markup(base_path), asset_path("icon.svg"), "\" type=\"image/svg+xml\"/>\n<link rel=\"stylesheet\" href=\"",
      escape_markup(base_path), asset_path("invited.css"),
      "\"/>\n</head>\n<body>\n<main class=\"page page-wide\">\n<header class=\"card\">\n<h1>JSON API</h1>\n<p>",
      prose(text_of(openapi["info"], "description")), "</p>\n<dl>\n<dt>Address</dt><dd><code>", escape_markup(url),
      "</code></dd>\n<dt>For programs</dt><dd><a href=\"", escape_markup(url), "/openapi.json\">", escape_markup(url),
      "/openapi.json</a> (OpenAPI 3.1)</dd>\n</dl>\n<nav aria-label=\"Contents\"><ul>\n"
      "<li><a href=\"#token\">The token</a></li>\n",
      contents,
      "<li><a href=\"#errors\">Errors</a></li>\n</ul></nav>\n</header>\n<article class=\"card\">\n"
      "<h2 id=\"token\">The token</h2>\n<p>An operator makes one with <code>invited token add</code>. It is shown "
      "once, "
      "is for one environment, and acts for one person, the inviter; it can be kept from giving some roles "
      "(<code>--role-ceiling</code>), and only one made with <code>--links</code> sees links.</p>\n",
      sample("Sample call with a token",
             "TOKEN=invited_…\ncurl " + url + "/roles \\\n  -H \"Authorization: Bearer $TOKEN\"\n"),
      "</article>\n", sections, error_section(openapi), "</main>\n</body>\n</html>\n");
}

}  // namespace invited::http::v1
