// The commands for apps, environments and roles.
#include <array>

#include "cli/admin_command_table.h"

namespace invited::cli {
namespace {

using enum OptionKind;

constexpr OptionSpec kEnvironmentSubject{"environment", subject, true, "UUID or name of the environment"};
constexpr OptionSpec kRequiredApp{"app", text, true, "UUID or name of the app"};

constexpr std::array kAppAdd{
    OptionSpec{"name", text, true, "what people know the app as; stands in mails and pages"},
    OptionSpec{"url", text, true, "where the button leads after accepting"},
    OptionSpec{"language", text, false, "language of its mails: en (default), nl, de, fr, es"},
};
constexpr std::array kAppOnly{OptionSpec{"app", subject, true, "UUID or name of the app"}};
constexpr std::array kAppSet{
    OptionSpec{"app", subject, true, "UUID or name of the app"},
    OptionSpec{"name", text, false, "what people know the app as; stands in mails and pages"},
    OptionSpec{"url", text, false, "where the button leads after accepting"},
    OptionSpec{"language", text, false, "language of its mails: en, nl, de, fr, es"},
    OptionSpec{
        "redirect-url", texts, false,
        "where a caller may send people after accepting instead: this address and all below it. Several: once for "
        "each, in place of those that there were; '' for none"},
    OptionSpec{"grants", text, false,
               "to which roles people may invite: any (default: the app decides before it calls), or manageable (only "
               "those that one of their own roles manages, see invited role import)"},
};
constexpr std::array kAppColumns{Column{"APP UUID", "app_uuid"}, Column{"NAME", "name"},
                                 Column{"LANGUAGE", "language"}, Column{"GRANTS", "grants"},
                                 Column{"URL", "url"},           Column{"REDIRECT URLS", "redirect_urls"}};

constexpr std::array kEnvironmentAdd{
    kRequiredApp,
    OptionSpec{"name", text, true, "for operators: Production, Acceptance, …"},
    OptionSpec{"uuid", text, false, "one that the app knows already; else a new one is made"},
    OptionSpec{"password-stdin", password_stdin, false,
               "take over a password of your own (first line of standard input); else one is issued"},
};
constexpr std::array kEnvironmentSet{
    kEnvironmentSubject,
    OptionSpec{"name", text, false, "for operators: Production, Acceptance, …"},
    OptionSpec{"openid-template", text, false,
               "how the app knows people: a text with {account_uuid} or {email}, and {public_url} where it is wanted "
               "(default: {public_url}/id?id={account_uuid})"},
    OptionSpec{"refresh-url", text, false,
               "where the app offers RefreshAPI, to be told when somebody's roles change; '' for no calls"},
    OptionSpec{"refresh-namespace", text, false,
               "of the app's RefreshUserPermissions: http://home.mendix.com/ (default); old modules: "
               "http://www.example.com"},
};
constexpr std::array kRotatePassword{
    kEnvironmentSubject,
    OptionSpec{"overlap", duration, false, "how long the old password stays valid: 24h (default), 0s, …",
               "overlap_seconds"},
    OptionSpec{"force", flag, false, "also end the one before the last, where it is valid still"},
};
constexpr std::array kEnvironmentOnly{kEnvironmentSubject};
constexpr std::array kEnvironmentColumns{Column{"ENVIRONMENT UUID", "environment_uuid"},
                                         Column{"NAME", "name"},
                                         Column{"APP", "app_name"},
                                         Column{"DISABLED", "disabled"},
                                         Column{"OPENID", "openid_template"},
                                         Column{"REFRESH URL", "refresh_url"}};

constexpr std::array kRoleAdd{
    kRequiredApp,
    OptionSpec{"name", text, true, "what people know the role as; stands in mails and pages"},
    OptionSpec{"uuid", text, false, "the app's own (Mendix: System.UserRole.ModelGUID); else a new one is made"},
};
constexpr std::array kRoleList{OptionSpec{"app", text, false, "only this app's (UUID or name)"}};
constexpr std::array kRoleImport{
    kRequiredApp,
    OptionSpec{"file", package_file, true, "model/metadata.json out of the deployment package", "roles"},
};
constexpr std::array kRoleColumns{Column{"ROLE UUID", "role_uuid"}, Column{"NAME", "name"}, Column{"APP", "app_name"}};
constexpr std::array kRoleSet{
    OptionSpec{"role", subject, true, "UUID or name of the role"},
    kRequiredApp,
    OptionSpec{"name", text, true, "what people are to know it as"},
};
constexpr OptionSpec kDialect{"dialect", text, true,
                              "whose name it is: gorules, medusa, base44 (auth.inviteUser), base44-runtime "
                              "(users.inviteUser)"};
constexpr OptionSpec kDialectsName{"name", text, true,
                                   "as its clients send it, like \"admin\"; \"default\" where they name no role"};
constexpr std::array kRoleMap{
    kRequiredApp,
    kDialect,
    kDialectsName,
    OptionSpec{"role", text, true, "UUID or name of the role that it stands for"},
};
constexpr std::array kRoleUnmap{kRequiredApp, kDialect, kDialectsName};
constexpr std::array kMappingColumns{Column{"DIALECT", "dialect"}, Column{"NAME", "name"}, Column{"ROLE", "role_name"},
                                     Column{"ROLE UUID", "role_uuid"}, Column{"APP", "app_name"}};

constexpr std::string_view kKeepPassword =
    "A password that was issued is shown this once and kept only as a hash: put it where the app reads it, now.";

constexpr std::array kCommands{
    CommandSpec{"app",
                "add",
                "Add an app",
                "invited app add --name \"Harbour Planner\" --url https://planner.example.com",
                kAppAdd,
                Shape::object,
                {},
                "App added.",
                "Next: its roles (invited role add or import), then an environment.",
                true},
    CommandSpec{"app", "list", "List the apps", "invited app list --json", {}, Shape::list, kAppColumns},

    CommandSpec{"app", "show", "Show one app", "invited app show \"Harbour Planner\"", kAppOnly},
    CommandSpec{
        "app",
        "set",
        "Change an app; what is not given stays",
        "invited app set \"Harbour Planner\" --redirect-url https://planner.example.com/welcome --grants manageable",
        kAppSet,
        Shape::object,
        {},
        "App changed."},

    CommandSpec{"environment",
                "add",
                "Add an environment; prints its UUID and password once",
                "invited environment add --app \"Harbour Planner\" --name Production",
                kEnvironmentAdd,
                Shape::object,
                {},
                "Environment added.",
                kKeepPassword},
    CommandSpec{"environment",
                "list",
                "List the environments",
                "invited environment list",
                {},
                Shape::list,
                kEnvironmentColumns},
    CommandSpec{"environment",
                "set",
                "Change an environment: how the app knows people, where it is told of changed roles",
                "invited environment set Production --refresh-url https://planner.example.com/ws/RefreshAPI",
                kEnvironmentSet,
                Shape::object,
                {},
                "Environment changed.",
                "A template that is changed makes other people of all of them, in the app's eyes: change it before the "
                "first sign-in, not after."},
    CommandSpec{"environment",
                "rotate-password",
                "Issue a new password; the old one stays valid for a while",
                "invited environment rotate-password Production --overlap 24h",
                kRotatePassword,
                Shape::object,
                {},
                "New password issued.",
                kKeepPassword},
    CommandSpec{"environment",
                "disable",
                "Refuse an environment's calls",
                "invited environment disable Acceptance",
                kEnvironmentOnly,
                Shape::object,
                {},
                "Environment disabled: its calls are refused from now on."},
    CommandSpec{"environment",
                "enable",
                "Take an environment's calls again",
                "invited environment enable Acceptance",
                kEnvironmentOnly,
                Shape::object,
                {},
                "Environment enabled."},

    CommandSpec{"role",
                "add",
                "Add a role to an app",
                "invited role add --app \"Harbour Planner\" --name Planner",
                kRoleAdd,
                Shape::object,
                {},
                "Role added."},
    CommandSpec{"role", "list", "List the roles", "invited role list --app \"Harbour Planner\"", kRoleList, Shape::list,
                kRoleColumns},
    CommandSpec{"role",
                "set",
                "Rename a role",
                "invited role set Planner --app \"Harbour Planner\" --name Scheduler",
                kRoleSet,
                Shape::object,
                {},
                "Role renamed."},
    CommandSpec{"role",
                "import",
                "Take over the roles of a Mendix deployment package, and whom each may manage: adds and changes, never "
                "removes",
                "invited role import --app \"Harbour Planner\" model/metadata.json",
                kRoleImport,
                Shape::object,
                {},
                "Roles imported.",
                "Whom a role manages counts where the app asks for it: invited app set --grants manageable."},
    CommandSpec{"role",
                "map",
                "Say which role a JSON dialect means by a name; a name that is not mapped grants nothing",
                "invited role map --app \"Harbour Planner\" --dialect base44 --name admin --role Administrator",
                kRoleMap,
                Shape::object,
                {},
                "Role mapped."},
    CommandSpec{"role",
                "unmap",
                "Let a JSON dialect's name stand for nothing again",
                "invited role unmap --app \"Harbour Planner\" --dialect base44 --name admin",
                kRoleUnmap,
                Shape::object,
                {},
                "The name stands for no role any more."},
    CommandSpec{"role", "mappings", "List what JSON dialects call the roles",
                "invited role mappings --app \"Harbour Planner\"", kRoleList, Shape::list, kMappingColumns},
};

}  // namespace

std::span<const CommandSpec> app_commands() { return kCommands; }

}  // namespace invited::cli
