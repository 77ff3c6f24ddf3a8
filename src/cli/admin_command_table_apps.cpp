// The commands for apps, environments, roles, accounts and access.
#include <array>

#include "cli/admin_command_table.h"
#include "cli/profile_options.h"

namespace invited::cli {
namespace {

using enum OptionKind;

constexpr OptionSpec kEnvironmentSubject{"environment", subject, true, "UUID or name of the environment"};
constexpr OptionSpec kRequiredApp{"app", text, true, "UUID or name of the app"};
constexpr OptionSpec kRequiredEmail{"email", text, true, "the account's mail address"};
constexpr OptionSpec kPasswordStdin{"password-stdin", password_stdin, false,
                                    "read the password from the first line of standard input"};

constexpr std::array kAppAdd{
    OptionSpec{"name", text, true, "what people know the app as; stands in mails and pages"},
    OptionSpec{"url", text, true, "where the button leads after accepting"},
    OptionSpec{"language", text, false, "language of its mails: en (default), nl, de, fr, es"},
};
constexpr std::array kAppColumns{Column{"APP UUID", "app_uuid"}, Column{"NAME", "name"}, Column{"LANGUAGE", "language"},
                                 Column{"URL", "url"}};

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

constexpr std::array kAccountAdd{
    kRequiredEmail,
    OptionSpec{"name", text, true, "the person's name; stands in the mails of their invitations"},
    OptionSpec{"uuid", text, false, "one by which apps know the person already (in OpenIDs); else a new one is made"},
    kPasswordStdin,
};
constexpr auto kAccountSet = with_profile_options(std::array{
    kRequiredEmail,
    OptionSpec{"name", text, false, "the person's name; stands in the mails of their invitations"},
});
constexpr std::array kSetPassword{
    kRequiredEmail,
    OptionSpec{"password-stdin", password_stdin, true, "read the password from the first line of standard input"}};
constexpr std::array kEmailOnly{kRequiredEmail};
constexpr std::array kAccountColumns{Column{"EMAIL", "email"}, Column{"NAME", "name"},
                                     Column{"PASSWORD", "has_password"}, Column{"DISABLED", "disabled"},
                                     Column{"CREATED", "created_at"}};

constexpr std::array kAccessChange{
    OptionSpec{"environment", text, true, "UUID or name of the environment"},
    kRequiredEmail,
    OptionSpec{"role", text, true, "UUID or name of the role"},
};
constexpr std::array kAccessList{OptionSpec{"environment", text, false, "only this one's (UUID or name)"}};
constexpr std::array kAccessColumns{Column{"EMAIL", "email"},
                                    Column{"NAME", "name"},
                                    Column{"ROLE", "role_name"},
                                    Column{"APP", "app_name"},
                                    Column{"ENVIRONMENT", "environment_name"},
                                    Column{"SINCE", "granted_at"}};

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

    CommandSpec{"environment",
                "add",
                "Add an environment; prints its UUID and password once",
                "invited environment add --app \"Harbour Planner\" --name Production",
                kEnvironmentAdd,
                Shape::object,
                {},
                "Environment added.",
                kKeepPassword,
                true},
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
                "To the app, another OpenID is another person: the template is to be changed before the first sign-in, "
                "not after.",
                true},
    CommandSpec{"environment",
                "rotate-password",
                "Issue a new password; the old one stays valid for a while",
                "invited environment rotate-password Production --overlap 24h",
                kRotatePassword,
                Shape::object,
                {},
                "New password issued.",
                kKeepPassword,
                true},
    CommandSpec{"environment",
                "disable",
                "Refuse an environment's calls",
                "invited environment disable Acceptance",
                kEnvironmentOnly,
                Shape::object,
                {},
                "Environment disabled: its calls are refused from now on.",
                {},
                true},
    CommandSpec{"environment",
                "enable",
                "Take an environment's calls again",
                "invited environment enable Acceptance",
                kEnvironmentOnly,
                Shape::object,
                {},
                "Environment enabled.",
                {},
                true},

    CommandSpec{"role",
                "add",
                "Add a role to an app",
                "invited role add --app \"Harbour Planner\" --name Planner",
                kRoleAdd,
                Shape::object,
                {},
                "Role added.",
                {},
                true},
    CommandSpec{"role", "list", "List the roles", "invited role list --app \"Harbour Planner\"", kRoleList, Shape::list,
                kRoleColumns},
    CommandSpec{"role",
                "import",
                "Take over the roles of a Mendix deployment package: adds and renames, never removes",
                "invited role import --app \"Harbour Planner\" model/metadata.json",
                kRoleImport,
                Shape::object,
                {},
                "Roles imported.",
                {},
                true},

    CommandSpec{"account",
                "add",
                "Add a person, as one who may invite must be",
                "invited account add --email ada@example.com --name \"Ada Lovelace\"",
                kAccountAdd,
                Shape::object,
                {},
                "Account added.",
                "Next: a role, to let the person invite (invited access grant). A password: the person sets one at "
                "/forgot-password.",
                true},
    CommandSpec{"account", "list", "List the accounts", "invited account list", {}, Shape::paged_list, kAccountColumns},
    CommandSpec{"account", "show", "Show a person: profile, roles, and as whom the apps know them",
                "invited account show --email ada@example.com", kEmailOnly},
    CommandSpec{"account",
                "set",
                "Change what is known of a person; '' takes a field away, what is not given stays",
                "invited account set --email ada@example.com --job-title \"Harbour pilot\" --country NL --phone ''",
                kAccountSet,
                Shape::object,
                {},
                "Account changed.",
                {},
                true},
    CommandSpec{"account",
                "set-password",
                "Set a person's password; ends their sessions and kills links that set a new one",
                "invited account set-password --email ada@example.com --password-stdin < password.txt",
                kSetPassword,
                Shape::object,
                {},
                "Password set.",
                {},
                true},
    CommandSpec{"account",
                "disable",
                "Stop a person from signing in and inviting",
                "invited account disable --email ada@example.com",
                kEmailOnly,
                Shape::object,
                {},
                "Account disabled.",
                {},
                true},
    CommandSpec{"account",
                "enable",
                "Let a person sign in and invite again",
                "invited account enable --email ada@example.com",
                kEmailOnly,
                Shape::object,
                {},
                "Account enabled.",
                {},
                true},

    CommandSpec{"access",
                "grant",
                "Give a person a role in an environment",
                "invited access grant --environment Production --email ada@example.com --role Administrator",
                kAccessChange,
                Shape::object,
                {},
                "The person has the role (changed: false where that was so before).",
                {},
                true},
    CommandSpec{"access",
                "revoke",
                "Take a person's role away",
                "invited access revoke --environment Production --email ada@example.com --role Administrator",
                kAccessChange,
                Shape::object,
                {},
                "The person does not have the role (changed: false where that was so before).",
                {},
                true},
    CommandSpec{"access", "list", "List who has which role", "invited access list --environment Production",
                kAccessList, Shape::paged_list, kAccessColumns},
};

}  // namespace

std::span<const CommandSpec> app_commands() { return kCommands; }

}  // namespace invited::cli
