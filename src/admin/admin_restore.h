// What operators do after a restore: send fresh links, let mails go that are held, or drop them (domain/restore.h).
// Rows of the tables of the nouns mail and invitation; thread-safe, as the context is.
#pragma once

#include "admin/admin_arguments.h"

namespace invited::admin {

/// {"count", "restored_at"}, or null where no mail is held: for the notice above `mail list`.
domain::Result<Json> mail_held(const Arguments& arguments, AdminContext& context);
domain::Result<Json> mail_release(const Arguments& arguments, AdminContext& context);
domain::Result<Json> mail_cancel(const Arguments& arguments, AdminContext& context);
/// A fresh link for every invitation whose link a restore has killed. Broken off, it goes on where it was.
domain::Result<Json> resend_after_restore(AdminContext& context);

}  // namespace invited::admin
