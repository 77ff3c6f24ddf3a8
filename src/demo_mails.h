// Reads the captured mails of the demo's folder for the page that shows them. The only includer of GMime beside
// mail/message_builder. Thread-safe.
#pragma once

#include <filesystem>

#include "http/captured_mail_pages.h"

namespace invited {

http::CapturedMails captured_mails(std::filesystem::path directory);

}  // namespace invited
