// Every admin command as the command line sees it: words, options, what is printed. The table from which arguments,
// help texts and output follow; what the commands do is in admin/. Constant; thread-safe.
#pragma once

#include <span>
#include <string_view>

namespace invited::cli {

enum class OptionKind {
  text,
  texts,    ///< may be given several times, one text each; sent as an array
  subject,  ///< a text that may stand without its flag: `environment disable Production`
  flag,
  duration,        ///< "24h", sent as whole seconds
  password_stdin,  ///< the first line of standard input, sent as "password"
  package_file,    ///< a deployment package's metadata.json, sent as "roles"
};

struct OptionSpec {
  std::string_view name;  ///< without dashes; also how the argument is called, unless `argument` says otherwise
  OptionKind kind = OptionKind::text;
  bool required = false;
  std::string_view help;
  std::string_view argument{};
};

struct Column {
  std::string_view header;
  std::string_view member;  ///< of the JSON object
};

enum class Shape {
  list,        ///< an array of objects, all of it at once
  paged_list,  ///< an array of objects, by limit and offset
  object,      ///< one object
};

struct CommandSpec {
  std::string_view noun;
  std::string_view verb;
  std::string_view help;
  std::string_view example;  ///< a whole command line
  std::span<const OptionSpec> options;
  Shape shape = Shape::object;
  std::span<const Column> columns{};  ///< of a listing
  std::string_view headline{};        ///< above one printed object: "Environment added."
  std::string_view note{};            ///< below it
  bool may_create = false;            ///< makes the database where none is yet: what a service begins with
};

struct NounSpec {
  std::string_view noun;
  std::string_view help;
};

std::span<const NounSpec> nouns();
/// All of them.
std::span<const CommandSpec> admin_commands();
// Its parts, a file each.
std::span<const CommandSpec> app_commands();
std::span<const CommandSpec> people_commands();
std::span<const CommandSpec> mail_commands();
std::span<const CommandSpec> webhook_commands();

}  // namespace invited::cli
