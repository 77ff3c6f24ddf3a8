#include "storage/mail_turns.h"

namespace invited::storage {

void MailTurns::note(const base::Uuid& environment, const base::Uuid& mail) {
  if (waiting_.size() >= kEnvironments && !waiting_.contains(environment)) return;
  Waiting& waiting = waiting_[environment];
  if (waiting.walk != walk_) waiting = {walk_, {}};
  if (waiting.mails.size() < kMailsOfEach) waiting.mails.push_back(mail);
}

void MailTurns::end_walk() {
  std::erase_if(waiting_, [this](const auto& one) { return one.second.walk != walk_; });
  ++walk_;
}

std::optional<base::Uuid> MailTurns::take() {
  if (waiting_.size() < 2) return std::nullopt;
  auto next = waiting_.upper_bound(last_);
  if (next == waiting_.end()) next = waiting_.begin();
  last_ = next->first;
  auto& mails = next->second.mails;
  if (mails.empty()) return std::nullopt;  // until it is met again
  const base::Uuid mail = mails.front();
  mails.pop_front();
  return mail;
}

}  // namespace invited::storage
