// The commands for accounts, access and API tokens.
#include <array>

#include "cli/admin_command_table.h"
#include "cli/profile_options.h"

namespace invited::cli {
namespace {

using enum OptionKind;

constexpr OptionSpec kRequiredEmail{"email", text, true, "the account's mail address"};
constexpr OptionSpec kPasswordStdin{"password-stdin", password_stdin, false,
                                    "read the password from the first line of standard input"};

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

constexpr std::array kTokenAdd{
    OptionSpec{"environment", text, true, "UUID or name of the environment for which it stands"},
    OptionSpec{"account", text, true, "the mail address of the person who invites with it; needs a role there"},
    OptionSpec{"name", text, false, "what it is for, for operators"},
    OptionSpec{
        "role-ceiling", texts, false,
        "UUID or name of a role that it may grant, and no other. Several: with commas, or once for each. Left out: "
        "all that the person may grant"},
    OptionSpec{"expires", duration, false, "after this time it is worthless: 90d, 12h, …; left out: never",
               "expires_in_seconds"},
    OptionSpec{
        "links", flag, false,
        "it may see links, and so hand them over itself or accept for somebody; left out: links are only mailed"},
};
constexpr std::array kTokenList{OptionSpec{"environment", text, false, "only this one's (UUID or name)"}};
constexpr std::array kTokenOnly{OptionSpec{"token", subject, true, "UUID of the token, as `list` shows it"}};
constexpr std::array kTokenColumns{Column{"TOKEN UUID", "token_uuid"},
                                   Column{"NAME", "name"},
                                   Column{"STATE", "state"},
                                   Column{"INVITER", "email"},
                                   Column{"ENVIRONMENT", "environment_name"},
                                   Column{"APP", "app_name"},
                                   Column{"ROLES", "role_ceiling"},
                                   Column{"LINKS", "links"},
                                   Column{"EXPIRES", "expires_at"},
                                   Column{"REVOKED", "revoked_at"},
                                   Column{"LAST USE", "last_used_at"}};

constexpr std::array kCommands{
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
                "Account changed."},
    CommandSpec{"account",
                "set-password",
                "Set a person's password; ends their sessions and kills links that set a new one",
                "invited account set-password --email ada@example.com --password-stdin < password.txt",
                kSetPassword,
                Shape::object,
                {},
                "Password set."},
    CommandSpec{"account",
                "disable",
                "Stop a person from signing in and inviting",
                "invited account disable --email ada@example.com",
                kEmailOnly,
                Shape::object,
                {},
                "Account disabled."},
    CommandSpec{"account",
                "enable",
                "Let a person sign in and invite again",
                "invited account enable --email ada@example.com",
                kEmailOnly,
                Shape::object,
                {},
                "Account enabled."},

    CommandSpec{"access",
                "grant",
                "Give a person a role in an environment",
                "invited access grant --environment Production --email ada@example.com --role Administrator",
                kAccessChange,
                Shape::object,
                {},
                "The person has the role (changed: no where that was so before)."},
    CommandSpec{"access",
                "revoke",
                "Take a person's role away",
                "invited access revoke --environment Production --email ada@example.com --role Administrator",
                kAccessChange,
                Shape::object,
                {},
                "The person does not have the role (changed: no where that was so before)."},
    CommandSpec{"access", "list", "List who has which role", "invited access list --environment Production",
                kAccessList, Shape::paged_list, kAccessColumns},

    CommandSpec{
        "token",
        "add",
        "Make an API token; prints it once",
        "invited token add --environment Production --account ada@example.com --name \"nightly job\" "
        "--role-ceiling User --expires 90d",
        kTokenAdd,
        Shape::object,
        {},
        "API token made.",
        "The token is shown this once and kept only as a hash: put it where the program reads it, now. Programs "
        "send it as \"Authorization: Bearer …\"."},
    CommandSpec{"token", "list", "List the API tokens, newest first; never the tokens themselves",
                "invited token list --environment Production", kTokenList, Shape::paged_list, kTokenColumns},
    CommandSpec{"token",
                "revoke",
                "Make an API token worthless, at once and for good",
                "invited token revoke 0192…",
                kTokenOnly,
                Shape::object,
                {},
                "API token revoked. Invitations that it made stay: see invited invitation list."},
};

}  // namespace

std::span<const CommandSpec> people_commands() { return kCommands; }

}  // namespace invited::cli
