#include "demo.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <utility>

#include "cli/service_choice.h"
#include "demo_mails.h"
#include "domain/role_alias.h"
#include "durable_file.h"
#include "keys.h"
#include "serve.h"

namespace invited {
namespace {

using admin::Json;

constexpr const char* kDefaultListen = "127.0.0.1:8080";
constexpr const char* kAppName = "Harbour Planner";
constexpr const char* kEnvironmentName = "Demo";
constexpr const char* kInvitedRole = "Planner";
// The one of the samples on /ws-doc/ and of the SoapUI project: copied from there, a call works.
constexpr const char* kInvitedRoleUuid = "b1a9cf63-3b7c-4e0f-8a55-0f3d6e1c7d22";
constexpr const char* kInviterName = "Marit de Vries";
// The one of the OpenID in the SoapUI project.
constexpr const char* kInviterUuid = "5d1f2a60-8c3e-4b7a-9e21-6f0c4d8b3a17";
constexpr const char* kInviterEmail = "marit.de.vries@harbour-planner.example";
constexpr const char* kSoapPath = "/ws/InviteAPI/1/soap1";
constexpr const char* kApiPath = "/api/v1";
constexpr const char* kDemoFile = "demo.json";
constexpr const char* kMailPath = "/demo/mails";

/// Where the demo keeps its things: the folder named, or a fresh one that goes when this does.
class DemoFolder {
 public:
  static Parsed<DemoFolder> open(const std::optional<std::string>& named) {
    if (named) return DemoFolder(std::filesystem::absolute(*named).lexically_normal(), /*temporary=*/false);
    std::error_code error;
    std::string name = (std::filesystem::temp_directory_path(error) / "invited-demo-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      return std::unexpected("a temporary folder cannot be made (" + std::string(std::strerror(errno)) +
                             "): name one with --state-dir");
    return DemoFolder(name, /*temporary=*/true);
  }
  DemoFolder(DemoFolder&& other) noexcept
      : path_(std::move(other.path_)), temporary_(std::exchange(other.temporary_, false)) {}
  DemoFolder& operator=(DemoFolder&&) = delete;
  ~DemoFolder() {
    std::error_code error;
    if (temporary_) std::filesystem::remove_all(path_, error);
  }
  const std::filesystem::path& path() const { return path_; }
  bool temporary() const { return temporary_; }

 private:
  DemoFolder(std::filesystem::path path, bool temporary) : path_(std::move(path)), temporary_(temporary) {}
  std::filesystem::path path_;
  bool temporary_;
};

constexpr std::string_view kOurs = "# Made once by `invited demo`";

/// Writes what `invited serve` and every command need to know of the folder, where there is nothing yet. Refuses a
/// folder with another service's database: the demo would put its app into it.
Parsed<void> prepare(const std::filesystem::path& folder) {
  std::error_code error;
  const std::filesystem::path settings = folder / "invited.toml";
  std::string first_line;
  std::getline(std::ifstream(settings) >> std::ws, first_line);
  if (std::filesystem::exists(folder / "invited.db", error) && !std::filesystem::exists(folder / kDemoFile, error) &&
      !first_line.starts_with(kOurs))
    return std::unexpected(folder.string() + " holds a database that is not the demo's: name another folder");
  if (std::filesystem::exists(settings, error)) return {};
  if (std::filesystem::create_directories(folder, error))
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  return create_file_durably(settings, std::string(kOurs) + ": edit as you like. All settings: invited settings\n" +
                                           "[mail]\ntransport = \"directory\"\n" +
                                           "from = \"invitations@harbour-planner.example\"\nfrom_name = \"" + kAppName +
                                           "\"\n");
}

std::optional<Config> load_demo_config(const cli::DemoOptions& options, const std::filesystem::path& folder) {
  cli::ServiceChoice choice;
  choice.state_dir = folder.string();
  choice.defaults = {{"mail.transport", "directory"},
                     {"mail.from", "invitations@harbour-planner.example"},
                     {"mail.from_name", kAppName},
                     {"http.listen", kDefaultListen},
                     {"log.level", "warning"}};
  if (options.listen) choice.flags["http.listen"] = *options.listen;
  auto config = cli::load(choice);
  if (!config) return std::nullopt;
  if (!options.listen && config->http.listen.port != 0 && !find_port(config->http.listen)) {
    std::cerr << "invited: " << config->http.listen.to_string()
              << " is taken, so the demo uses a free port. Choose one with --listen.\n";
    config->http.listen.port = 0;
  }
  if (config->public_url.empty() && config->http.listen.is_wildcard()) {
    // The demo's person sits at this machine, or forwards the port.
    const auto port = find_port(config->http.listen);
    if (port) config->http.listen.port = *port;
    config->public_url = "http://127.0.0.1:" + std::to_string(config->http.listen.port);
    std::cerr << "invited: the demo is open to the network, and with it every link in its mails.\n";
  }
  if (const auto problems = problems_for_serving(*config); !problems.empty()) {
    cli::print_problems(problems);
    return std::nullopt;
  }
  return config;
}

/// Runs one admin command of the set-up.
domain::Result<Json> run(const char* command, Json arguments, admin::AdminContext& context) {
  const Json answer = admin::execute({{"command", command}, {"arguments", std::move(arguments)}}, context);
  if (answer.contains("result")) return answer["result"];
  const Json& error = answer["error"];
  const bool exists = error["code"] == domain::to_string(domain::ErrorCode::already_exists);
  return domain::refuse(
      exists ? domain::ErrorCode::already_exists : domain::ErrorCode::unavailable,
      std::string("The demo app cannot be set up (") + command + "): " + error["message"].get<std::string>());
}

/// What the JSON front doors need: a token, and what their dialects call the roles. The token, once.
domain::Result<Json> set_up_api(const Json& app, const Json& environment_uuid, admin::AdminContext& context) {
  struct Mapping {
    const char* name;
    const char* role;
  };
  // A client that names no role means the demo's; an admin is one who runs the app.
  constexpr std::array kMappings{Mapping{"default", kInvitedRole}, Mapping{"user", "User"},
                                 Mapping{"admin", "Administrator"}};
  for (const std::string_view dialect : domain::kAliasDialects)
    for (const Mapping& mapping : kMappings)
      if (auto mapped =
              run("role map", {{"app", app}, {"dialect", dialect}, {"name", mapping.name}, {"role", mapping.role}},
                  context);
          !mapped)
        return mapped;
  auto token =
      run("token add",
          {{"environment", environment_uuid}, {"account", kInviterEmail}, {"name", "invited demo"}, {"links", true}},
          context);
  if (!token) return token;
  return (*token)["api_token"];
}

/// App, roles, environment, inviter: what the demo tells of itself.
domain::Result<Json> set_up(const Config& config, admin::AdminContext& context) {
  auto app = run("app add", {{"name", kAppName}, {"url", config.public_url + "/"}}, context);
  if (!app) return app;
  const Json app_uuid = (*app)["app_uuid"];
  Json invited_role;
  Json inviter_role;
  for (const char* name : {"User", kInvitedRole, "Administrator"}) {
    Json arguments{{"app", app_uuid}, {"name", name}};
    if (std::string_view(name) == kInvitedRole) arguments["uuid"] = kInvitedRoleUuid;
    auto role = run("role add", arguments, context);
    if (!role) return role;
    if (std::string_view(name) == kInvitedRole) invited_role = (*role)["role_uuid"];
    inviter_role = (*role)["role_uuid"];
  }
  auto environment = run("environment add", {{"app", app_uuid}, {"name", kEnvironmentName}}, context);
  if (!environment) return environment;
  const Json environment_uuid = (*environment)["environment_uuid"];
  auto account =
      run("account add", {{"email", kInviterEmail}, {"name", kInviterName}, {"uuid", kInviterUuid}}, context);
  // There already: a set-up was broken off in the middle, and this is the second.
  if (!account && account.error().code != domain::ErrorCode::already_exists) return account;
  auto access = run("access grant",
                    {{"environment", environment_uuid}, {"email", kInviterEmail}, {"role", inviter_role}}, context);
  if (!access) return access;
  auto token = set_up_api(app_uuid, environment_uuid, context);
  if (!token) return token;
  return Json{{"environment_uuid", environment_uuid},
              {"environment_password", (*environment)["environment_password"]},
              {"role_uuid", invited_role},
              {"role_name", kInvitedRole},
              {"inviter_email", kInviterEmail},
              {"api_token", *token}};
}

/// A folder of a version without JSON front doors gets what they need.
domain::Result<Json> complete(Json known, const std::filesystem::path& file, admin::AdminContext& context) {
  if (known.contains("api_token")) return known;
  const auto environments = run("environment list", Json::object(), context);
  if (!environments) return environments;
  for (const Json& environment : *environments) {
    if (environment["environment_uuid"] != known["environment_uuid"]) continue;
    auto token = set_up_api(environment["app_uuid"], known["environment_uuid"], context);
    if (!token) return token;
    known["api_token"] = *std::move(token);
    if (auto written = replace_file_durably(file, known.dump(2) + "\n"); !written)
      return domain::refuse(domain::ErrorCode::unavailable, written.error());
    return known;
  }
  return domain::refuse(domain::ErrorCode::unavailable,
                        file.string() +
                            " names an environment that is not in the database: start the demo in another "
                            "folder, or without --state-dir.");
}

/// The credentials: those of the last time, or of an app that is set up now.
domain::Result<Json> credentials(const std::filesystem::path& folder, Service& service) {
  const std::filesystem::path file = folder / kDemoFile;
  if (std::ifstream stream(file); stream) {
    const std::string content{std::istreambuf_iterator<char>(stream), {}};
    auto known = Json::parse(content, nullptr, /*allow_exceptions=*/false);
    if (known.is_object() && known.contains("environment_password"))
      return complete(std::move(known), file, service.admin_context());
    return domain::refuse(domain::ErrorCode::unavailable,
                          file.string() + " is damaged: start the demo in another folder, or without --state-dir.");
  }
  auto made = set_up(service.config(), service.admin_context());
  if (!made) return made;
  if (auto written = create_file_durably(file, made->dump(2) + "\n"); !written)
    return domain::refuse(domain::ErrorCode::unavailable, written.error());
  return made;
}

void print_for_programs(const Json& facts) { std::cout << facts.dump() << std::endl; }

/// As one would type it here.
std::string own_program() {
  std::error_code error;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return "invited";
  const auto relative = path.lexically_proximate(std::filesystem::current_path(error)).string();
  return relative.starts_with("..")                ? path.string()
         : relative.find('/') == std::string::npos ? "./" + relative
                                                   : relative;
}

void print_for_people(const Json& facts, const DemoFolder& folder) {
  const auto text = [&](const char* member) { return facts[member].get<std::string>(); };
  std::cout << "\n"
            << "  invited is running, with the demo app \"" << kAppName << "\".\n"
            << "\n"
            << "  WSDL                  " << text("wsdl_url") << "\n"
            << "  documentation         " << text("base_url") << "/ws-doc/\n"
            << "  environment UUID      " << text("environment_uuid") << "\n"
            << "  environment password  " << text("environment_password") << "\n"
            << "  role UUID             " << text("role_uuid") << "  (" << text("role_name") << ")\n"
            << "  inviter               " << text("inviter_email") << "\n"
            << "  inviter's OpenID      " << text("base_url") << "/id?id=" << kInviterUuid << "\n"
            << "\n"
            << "  1. Invite somebody: paste this into another shell.\n"
            << "\n"
            << "curl -sS " << text("base_url") << kSoapPath << " -H 'Content-Type: text/xml; charset=utf-8' -d '\n"
            << "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\">\n"
            << "  <soap:Body>\n"
            << "    <tns:SendInvite xmlns:tns=\"http://www.example.com/\">\n"
            << "      <EnvironmentUUID>" << text("environment_uuid") << "</EnvironmentUUID>\n"
            << "      <EnvironmentPassword>" << text("environment_password") << "</EnvironmentPassword>\n"
            << "      <RoleUUID>" << text("role_uuid") << "</RoleUUID>\n"
            << "      <InviteeEmailAddress>ada@example.org</InviteeEmailAddress>\n"
            << "      <InviterEmailAddress>" << text("inviter_email") << "</InviterEmailAddress>\n"
            << "    </tns:SendInvite>\n"
            << "  </soap:Body>\n"
            << "</soap:Envelope>'\n"
            << "\n"
            << "     Or as JSON, with an API token:\n"
            << "\n"
            << "curl -sS " << text("api_url") << "/invitations -H 'Authorization: Bearer " << text("api_token")
            << "' \\\n"
            << "  -H 'Content-Type: application/json' -d '{\"email\": \"grace@example.org\", \"roles\": [\""
            << text("role_uuid") << "\"]}'\n"
            << "\n"
            << "  2. Open the mail, follow its link, sign up:\n"
            << "\n"
            << "       " << text("mail_url") << "\n"
            << "\n"
            << "  3. See that access is there:\n"
            << "\n"
            << "       " << own_program() << " access list --state-dir " << folder.path().string() << "\n"
            << "\n"
            << (folder.temporary() ? "  Ctrl-C ends the demo and removes what it made.\n"
                                   : "  Ctrl-C ends the demo; started again with this folder it goes on.\n")
            << std::endl;
}

}  // namespace

int demo(const cli::DemoOptions& options) {
  block_signals();  // from here on, so that a temporary folder never stays behind
  const auto fail = [](const std::string& message) {
    std::cerr << "invited: " << message << '\n';
    return cli::kRefused;
  };
  const auto folder = DemoFolder::open(options.state_dir);
  if (!folder) return fail(folder.error());
  if (const auto prepared = prepare(folder->path()); !prepared) return fail(prepared.error());
  auto config = load_demo_config(options, folder->path());
  if (!config) return cli::kRefused;
  const std::string mail_dir = config->mail.directory.string();
  const auto service = Service::start(std::move(*config), [&](http::Router& router, const auto& renderer) {
    http::add_captured_mail_routes(router, renderer, captured_mails(mail_dir));
  });
  if (!service) {
    const bool taken = service.error().message.starts_with("http.listen");
    return fail(service.error().message + (taken ? " For the demo: --listen, with port 0 for a free one." : ""));
  }
  const auto known = credentials(folder->path(), **service);
  if (!known) return fail(known.error().message);

  const std::string& base_url = (*service)->config().public_url;
  Json facts{{"base_url", base_url}, {"wsdl_url", base_url + kSoapPath + "?wsdl"}};
  for (const auto& [member, value] : known->items())
    if (member != "api_token") facts[member] = value;
  facts["mail_dir"] = mail_dir;
  facts["mail_url"] = base_url + kMailPath;
  facts["api_token"] = (*known)["api_token"];
  facts["api_url"] = base_url + kApiPath;
  std::error_code error;
  std::filesystem::create_directories(mail_dir, error);  // watched from the start, before the first mail makes it
  std::filesystem::permissions(mail_dir, std::filesystem::perms::owner_all, error);
  if (options.json)
    print_for_programs(facts);
  else
    print_for_people(facts, *folder);
  return (*service)->run();
}

}  // namespace invited
