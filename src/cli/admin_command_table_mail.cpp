// The commands for invitations, mails, calls to apps and the audit.
#include <array>

#include "cli/admin_command_table.h"

namespace invited::cli {
namespace {

using enum OptionKind;

constexpr OptionSpec kInvitationSubject{"invitation", subject, true, "UUID of the invitation, as `list` shows it"};

constexpr std::array kInvitationList{
    OptionSpec{"environment", text, false, "only this one's (UUID or name)"},
    OptionSpec{"email", text, false, "only this invitee's"},
    OptionSpec{"state", text, false, "only pending, accepted, declined, revoked or expired ones"},
};
constexpr std::array kInvitationOnly{kInvitationSubject};
constexpr std::array kInvitationResend{
    OptionSpec{"invitation", subject, false, "UUID of the invitation, as `list` shows it"},
    OptionSpec{"after-restore", flag, false,
               "every pending one whose link a restore has killed; broken off, it goes on where it was",
               "after_restore"},
};
constexpr std::array kInvitationColumns{Column{"INVITATION UUID", "invitation_uuid"},
                                        Column{"STATE", "state"},
                                        Column{"INVITEE", "invitee_email"},
                                        Column{"ROLES", "role_names"},
                                        Column{"APP", "app_name"},
                                        Column{"SENT", "sent_at"},
                                        Column{"EXPIRES", "expires_at"}};

constexpr std::array kMailList{
    OptionSpec{"state", text, false, "only queued, sent, failed, quarantined or cancelled ones"}};
constexpr std::array kMailShow{OptionSpec{"message", subject, true, "UUID of the mail, as `list` shows it"}};
constexpr std::array kMailRetry{
    OptionSpec{"message", subject, false, "UUID of the mail, as `list` shows it"},
    OptionSpec{
        "all", flag, false,
        "every failed and quarantined one, and those that wait for their next try; also lifts a hold of the queue"},
};
constexpr std::array kMailRelease{
    OptionSpec{"message", subject, false, "UUID of the mail, as `list` shows it"},
    OptionSpec{"all", flag, false, "every one that is held"},
};
constexpr std::array kMailCancel{
    OptionSpec{"message", subject, false, "UUID of the mail, as `list` shows it"},
    OptionSpec{"held", flag, false, "every one that is held after a restore"},
};
constexpr std::array kMailColumns{Column{"MESSAGE UUID", "message_uuid"}, Column{"STATE", "state"},
                                  Column{"TO", "recipient_email"},        Column{"KIND", "kind"},
                                  Column{"QUEUED", "queued_at"},          Column{"DUE", "due_at"},
                                  Column{"TRIES", "attempt_count"},       Column{"LAST ERROR", "last_error"}};

constexpr std::array kRefreshList{OptionSpec{"state", text, false, "only queued, done, failed or cancelled ones"}};
constexpr std::array kRefreshShow{OptionSpec{"refresh", subject, true, "UUID of the call, as `list` shows it"}};
constexpr std::array kRefreshRetry{
    OptionSpec{"refresh", subject, false, "UUID of the call, as `list` shows it"},
    OptionSpec{"all", flag, false, "every failed one"},
};
constexpr std::array kRefreshColumns{Column{"REFRESH UUID", "refresh_uuid"},
                                     Column{"STATE", "state"},
                                     Column{"PERSON", "email"},
                                     Column{"ENVIRONMENT", "environment_name"},
                                     Column{"APP", "app_name"},
                                     Column{"QUEUED", "queued_at"},
                                     Column{"DUE", "due_at"},
                                     Column{"TRIES", "attempt_count"},
                                     Column{"LAST ERROR", "last_error"}};

constexpr std::array kAuditColumns{Column{"AT", "at"}, Column{"ACTOR", "actor"}, Column{"ACTION", "action"},
                                   Column{"SUBJECT", "subject_uuid"}, Column{"DETAIL", "detail"}};

constexpr std::array kCommands{
    CommandSpec{"invitation", "list", "List the invitations, newest first",
                "invited invitation list --state pending --json", kInvitationList, Shape::paged_list,
                kInvitationColumns},
    CommandSpec{"invitation", "show", "Show one invitation", "invited invitation show 0192…", kInvitationOnly},
    CommandSpec{"invitation",
                "resend",
                "Send a fresh link; the old one is dead once it has left",
                "invited invitation resend 0192…",
                kInvitationResend,
                Shape::object,
                {},
                "Sent again."},
    CommandSpec{"invitation",
                "revoke",
                "Make the link worthless",
                "invited invitation revoke 0192…",
                kInvitationOnly,
                Shape::object,
                {},
                "Invitation revoked."},

    CommandSpec{"mail", "list", "List the mails, newest first", "invited mail list --state failed", kMailList,
                Shape::paged_list, kMailColumns},
    CommandSpec{"mail", "show", "Show one mail and each attempt to deliver it", "invited mail show 0192…", kMailShow},
    CommandSpec{"mail",
                "retry",
                "Send failed mail again, or now one that waits for its next try",
                "invited mail retry --all",
                kMailRetry,
                Shape::object,
                {},
                "Queued again."},
    CommandSpec{"mail",
                "release",
                "Let mail go that is held after a restore: invitations with a fresh link and as a new mail, notices as "
                "they are; links to a new password are dropped, people ask for another",
                "invited mail release --all",
                kMailRelease,
                Shape::object,
                {},
                "Let go."},
    CommandSpec{"mail",
                "cancel",
                "Drop mail that is owed: it is never sent",
                "invited mail cancel --held",
                kMailCancel,
                Shape::object,
                {},
                "Cancelled.",
                "An invitation stays pending: invited invitation resend sends a fresh link."},

    CommandSpec{"refresh", "list", "List the calls, newest first", "invited refresh list --state failed", kRefreshList,
                Shape::paged_list, kRefreshColumns},
    CommandSpec{"refresh", "show", "Show one call and each attempt to make it", "invited refresh show 0192…",
                kRefreshShow},
    CommandSpec{"refresh",
                "retry",
                "Make failed calls again, or now one that waits for its next try",
                "invited refresh retry --all",
                kRefreshRetry,
                Shape::object,
                {},
                "Queued again."},

    CommandSpec{"audit",
                "list",
                "List what changed, newest first",
                "invited audit list --limit 20",
                {},
                Shape::paged_list,
                kAuditColumns},
};

}  // namespace

std::span<const CommandSpec> mail_commands() { return kCommands; }

}  // namespace invited::cli
