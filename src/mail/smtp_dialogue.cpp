#include "mail/smtp_dialogue.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "mail/name_guard.h"

namespace invited::mail {

namespace {

using domain::DeliveryOutcome;

constexpr std::size_t kLongestReply = 2'000;  // an endless multi-line reply must not fill memory
constexpr int kShuttingDown = 421;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// `text` begins with `word` in any letter case, and the word ends there.
bool begins_with_word(std::string_view text, std::string_view word) {
  if (text.size() < word.size()) return false;
  const bool equal = std::equal(word.begin(), word.end(), text.begin(), [](char upper, char c) {
    return upper == (c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
  });
  return equal && (text.size() == word.size() || text[word.size()] == ' ' || text[word.size()] == '\r' ||
                   text[word.size()] == '\n' || text[word.size()] == '=');
}

/// 530, 534, 535, 538: authentication or encryption is wanted (RFC 4954 section 6). Whichever command hears it, the
/// configuration is meant, not the recipient.
bool wants_authentication(int code) { return code == 530 || code == 534 || code == 535 || code == 538; }

/// `text` begins with this enhanced status code (RFC 3463), of any class: ".1.8".
bool has_status(std::string_view text, std::string_view subject_and_detail) {
  return text.size() > 1 && is_digit(text[0]) && text.substr(1).starts_with(subject_and_detail) &&
         (text.size() == 1 + subject_and_detail.size() || !is_digit(text[1 + subject_and_detail.size()]));
}

/// Words for a refusal of the sender, of this machine, or of relaying for it: Postfix, Exim, Sendmail, Exchange, Gmail,
/// qmail. In lower case.
constexpr std::array<std::string_view, 16> kRefusalsOfUs{
    "sender address rejected", "client host rejected", "client host [",         "helo command rejected",
    "sender verify failed",    "send as this sender",  "sendasdenied",          "relay access denied",
    "relaying denied",         "relay denied",         "relay not permitted",   "relaying not permitted",
    "relaying not allowed",    "unable to relay",      "credentials for relay", "allowed rcpthosts"};

/// Postfix keeps what it has against client, greeting and sender until RCPT (smtpd_delay_reject, its default); Exchange
/// looks at the sender behind the final dot. A verdict of another relay that is quoted about a recipient is none on us.
bool refuses_us(std::string_view text) {
  const std::string lower = base::to_lower_ascii(text);
  if (lower.find("recipient address rejected") != std::string::npos) return false;
  return has_status(text, ".1.7") || has_status(text, ".1.8") ||  // the sender's address, its domain
         std::ranges::any_of(kRefusalsOfUs,
                             [&](std::string_view words) { return lower.find(words) != std::string::npos; });
}

/// The relay is full or busy, or we have sent enough for today, although the code says "never": Gmail's 550 5.4.5.
bool is_about_today(std::string_view text) {
  return has_status(text, ".3.1") || has_status(text, ".3.2") || has_status(text, ".4.5");
}

DeliveryOutcome judge_reply(SmtpStage stage, int code, std::string_view text) {
  if (code == kShuttingDown) return DeliveryOutcome::deferred;
  if (stage < SmtpStage::rcpt_to || wants_authentication(code)) return DeliveryOutcome::held;
  // Held would be right for most of these. But a relay may say them for single recipients, too (a list that only some
  // may write to), and one such mail would hold up everybody's.
  if (refuses_us(text) || is_about_today(text)) return DeliveryOutcome::deferred;
  return code / 100 == 5 ? DeliveryOutcome::rejected : DeliveryOutcome::deferred;
}

}  // namespace

std::string_view to_string(SmtpStage stage) {
  switch (stage) {
    case SmtpStage::connect:
      return "connect";
    case SmtpStage::banner:
      return "banner";
    case SmtpStage::ehlo:
      return "ehlo";
    case SmtpStage::starttls:
      return "starttls";
    case SmtpStage::tls:
      return "tls";
    case SmtpStage::auth:
      return "auth";
    case SmtpStage::mail_from:
      return "mail_from";
    case SmtpStage::rcpt_to:
      return "rcpt_to";
    case SmtpStage::data:
      return "data";
    case SmtpStage::message:
      return "message";
  }
  return "connect";
}

void SmtpDialogue::begin(bool implicit_tls) {
  *this = SmtpDialogue{};
  encrypted_ = implicit_tls;
}

void SmtpDialogue::enter(SmtpStage stage) {
  stage_ = stage;
  reply_code_ = 0;
  reply_text_.clear();
  pending_text_.clear();
}

void SmtpDialogue::sent(std::string_view line) {
  if (begins_with_word(line, "EHLO") || begins_with_word(line, "HELO")) {
    encrypted_ = encrypted_ || stage_ == SmtpStage::tls;
    enter(SmtpStage::ehlo);
    offers_auth_ = offers_starttls_ = false;
  } else if (begins_with_word(line, "STARTTLS")) {
    enter(SmtpStage::starttls);
  } else if (begins_with_word(line, "AUTH")) {
    enter(SmtpStage::auth);
  } else if (begins_with_word(line, "MAIL")) {
    enter(SmtpStage::mail_from);
  } else if (begins_with_word(line, "RCPT")) {
    enter(SmtpStage::rcpt_to);
  } else if (begins_with_word(line, "DATA")) {
    enter(SmtpStage::data);
  } else if (begins_with_word(line, "QUIT")) {
    ended_ = true;
  }
  // Anything else is a step of AUTH, or NOOP: no stage of its own.
}

void SmtpDialogue::received(std::string_view line) {
  const bool answered = reply_code_ != 0 && reply_code_ / 100 != 3;  // 3yz: AUTH goes on
  if (ended_ || answered) return;
  if (stage_ == SmtpStage::connect) enter(SmtpStage::banner);
  saw_banner_ = saw_banner_ || stage_ == SmtpStage::banner;
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  const bool has_code = line.size() >= 3 && is_digit(line[0]) && is_digit(line[1]) && is_digit(line[2]);
  const std::string_view text = has_code && line.size() > 4 ? line.substr(4) : has_code ? std::string_view{} : line;
  if (pending_text_.size() < kLongestReply) pending_text_ += (pending_text_.empty() ? "" : " ") + std::string(text);
  if (stage_ == SmtpStage::ehlo) {
    if (begins_with_word(text, "AUTH")) offers_auth_ = true;
    if (begins_with_word(text, "STARTTLS")) offers_starttls_ = true;
  }
  if (!has_code || (line.size() > 3 && line[3] == '-')) return;

  const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  if (stage_ == SmtpStage::data && code == 354) return enter(SmtpStage::message);
  if (stage_ == SmtpStage::starttls && code == 220) return enter(SmtpStage::tls);
  reply_code_ = code;
  reply_text_ = one_line(pending_text_);
  pending_text_.clear();
}

domain::DeliveryResult judge(const SmtpDialogue& dialogue, std::string_view trouble) {
  const SmtpStage stage = dialogue.stage();
  const int code = dialogue.reply_code();
  domain::DeliveryResult result;
  result.stage = to_string(stage);
  if (dialogue.accepted()) {
    // Whatever happens to the connection afterwards: the relay has taken the mail.
    result.outcome = DeliveryOutcome::sent;
  } else if (code >= 400) {
    result.outcome = judge_reply(stage, code, dialogue.reply_text());
  } else {
    // No answer, or a good one before the connection or TLS failed: the relay as a whole until it knows the recipient,
    // this message from then on.
    result.outcome = stage < SmtpStage::rcpt_to ? DeliveryOutcome::held : DeliveryOutcome::deferred;
    result.explanation = one_line(trouble.empty() ? "the relay answered out of turn" : trouble);
    return result;
  }
  result.reply_code = code;
  result.explanation = dialogue.reply_text();
  return result;
}

bool refuses_us(const domain::DeliveryResult& result) {
  return result.reply_code >= 400 && refuses_us(result.explanation);
}

bool has_had_enough(const domain::DeliveryResult& result) {
  return result.reply_code >= 400 && is_about_today(result.explanation);
}

bool asks_for_pause(const domain::DeliveryResult& result) {
  return result.outcome == DeliveryOutcome::deferred && (result.reply_code == kShuttingDown || result.reply_code == 0);
}

}  // namespace invited::mail
