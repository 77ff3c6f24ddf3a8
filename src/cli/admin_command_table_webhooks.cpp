// The commands for webhooks and their deliveries.
#include <array>

#include "cli/admin_command_table.h"

namespace invited::cli {
namespace {

using enum OptionKind;

constexpr OptionSpec kWebhookSubject{"webhook", subject, true, "UUID of the webhook, as `list` shows it"};
constexpr OptionSpec kWebhook{"webhook", text, false, "only this webhook's (UUID)"};

constexpr std::array kAdd{
    OptionSpec{"environment", text, true, "UUID or name of the environment"},
    OptionSpec{"url", text, true, "where events are sent: https://…"},
    OptionSpec{"event", texts, false,
               "only this event; may be repeated (default: all): invitation.created, .resent, .delivered, .bounced, "
               ".accepted, .declined, .revoked, .expired, access.granted, .withdrawn"},
};
constexpr std::array kList{OptionSpec{"environment", text, false, "only this one's (UUID or name)"}};
constexpr std::array kWebhookOnly{kWebhookSubject};
constexpr std::array kRotate{
    kWebhookSubject,
    OptionSpec{"force", flag, false, "though the secret before this one still counts, which ends at once"},
};
constexpr std::array kDeliveries{
    kWebhook,
    OptionSpec{"state", text, false, "only queued, done, failed or cancelled ones"},
};
constexpr std::array kShow{OptionSpec{"delivery", subject, true, "UUID of the delivery, as `deliveries` shows it"}};
constexpr std::array kReplay{
    OptionSpec{"delivery", subject, false, "UUID of the delivery, as `deliveries` shows it"},
    OptionSpec{"all", flag, false, "every failed one"},
    kWebhook,
    OptionSpec{"state", text, false, "with --all: cancelled or done ones instead of the failed ones"},
};

constexpr std::array kWebhookColumns{Column{"WEBHOOK UUID", "webhook_uuid"},
                                     Column{"ENVIRONMENT", "environment_name"},
                                     Column{"URL", "url"},
                                     Column{"EVENTS", "events"},
                                     Column{"DISABLED", "disabled"},
                                     Column{"REASON", "disabled_reason"}};
constexpr std::array kDeliveryColumns{
    Column{"DELIVERY UUID", "delivery_uuid"}, Column{"STATE", "state"},          Column{"EVENT", "event"},
    Column{"WEBHOOK UUID", "webhook_uuid"},   Column{"QUEUED", "queued_at"},     Column{"DUE", "due_at"},
    Column{"TRIES", "attempt_count"},         Column{"LAST ERROR", "last_error"}};

constexpr std::string_view kKeepSecret =
    "The receiver checks signatures with the secret (Standard Webhooks); it is shown again by "
    "invited webhook show-secret.";

constexpr std::array kCommands{
    CommandSpec{"webhook",
                "add",
                "Tell a URL what happens in an environment; prints the signing secret",
                "invited webhook add --environment Production --url https://planner.example.com/hooks/invited "
                "--event invitation.accepted --event invitation.bounced",
                kAdd,
                Shape::object,
                {},
                "Webhook added.",
                kKeepSecret},
    CommandSpec{"webhook", "list", "List the webhooks", "invited webhook list --environment Production", kList,
                Shape::list, kWebhookColumns},
    CommandSpec{"webhook",
                "remove",
                "Tell it nothing any more; what it is owed is cancelled",
                "invited webhook remove 0192…",
                kWebhookOnly,
                Shape::object,
                {},
                "Webhook removed."},
    CommandSpec{"webhook",
                "disable",
                "Tell it nothing for now; what it is owed is cancelled",
                "invited webhook disable 0192…",
                kWebhookOnly,
                Shape::object,
                {},
                "Webhook disabled.",
                "What is cancelled meanwhile can be replayed: invited webhook replay --all --state cancelled."},
    CommandSpec{"webhook",
                "enable",
                "Tell it again",
                "invited webhook enable 0192…",
                kWebhookOnly,
                Shape::object,
                {},
                "Webhook enabled."},
    CommandSpec{"webhook",
                "rotate-secret",
                "Sign with another secret; for 24 hours with the old one too",
                "invited webhook rotate-secret 0192…",
                kRotate,
                Shape::object,
                {},
                "New secret.",
                kKeepSecret},
    CommandSpec{"webhook", "show-secret", "Show the signing secret", "invited webhook show-secret 0192…", kWebhookOnly},
    CommandSpec{"webhook", "deliveries", "List what webhooks are owed and were told, newest first",
                "invited webhook deliveries --state failed", kDeliveries, Shape::paged_list, kDeliveryColumns},
    CommandSpec{"webhook", "show", "Show one delivery, its payload and each attempt", "invited webhook show 0192…",
                kShow},
    CommandSpec{"webhook",
                "replay",
                "Make deliveries again, as the same events (webhook-id, payload)",
                "invited webhook replay --all",
                kReplay,
                Shape::object,
                {},
                "Queued again."},
};

}  // namespace

std::span<const CommandSpec> webhook_commands() { return kCommands; }

}  // namespace invited::cli
