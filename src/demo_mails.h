// The captured mails of the demo's folder, for the page that shows them. Thread-safe.
#pragma once

#include <filesystem>

#include "http/captured_mail_pages.h"

namespace invited {

http::CapturedMails captured_mails(const std::filesystem::path& directory);

}  // namespace invited
