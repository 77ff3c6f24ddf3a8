// Transport into a folder: each mail is a file <utc-timestamp>-<message id>.eml, whole or not there at all. A second
// copy of a message replaces the first, as both names come from the message. For demos, tests and trying out.
#pragma once

#include <atomic>
#include <filesystem>

#include "mail/transport.h"

namespace invited::mail {

/// "20261120T083000.123Z-<message id>.eml"
std::string eml_file_name(const Envelope& envelope);

class DirectoryTransport final : public Transport {
 public:
  /// `directory` is made where it is missing, readable by its owner only: the mails hold live links.
  explicit DirectoryTransport(std::filesystem::path directory) : directory_(std::move(directory)) {}

  /// Returns when the file and its name are on disk.
  domain::DeliveryResult deliver(const Envelope& envelope, const std::string& bytes) override;
  void close() override {}
  void interrupt() override { interrupted_ = true; }

  /// Writes and removes a file: `sent` means that mails can be written.
  domain::DeliveryResult probe();

 private:
  domain::DeliveryResult write(const std::string& name, const std::string& bytes, bool keep);

  std::filesystem::path directory_;
  std::atomic<bool> interrupted_{false};
};

}  // namespace invited::mail
