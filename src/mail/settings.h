// The settings `mail.*` as this module needs them; filled from the settings table by main. Plain values, immutable once
// handed over.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace invited::mail {

/// Mails sent at once: as many as Postfix opens to one destination.
inline constexpr std::uint32_t kMostConnections = 20;

enum class TransportKind { smtp, directory };

/// Encryption to the relay. It is required or off, never "if it happens to be there".
enum class Tls {
  starttls,  ///< plain greeting, then STARTTLS or nothing
  implicit,  ///< TLS from the first byte
  off,       ///< for a relay on this machine, and for tests
};

struct Settings {
  TransportKind transport = TransportKind::smtp;
  std::filesystem::path directory;  ///< for TransportKind::directory; made where it is missing
  std::string host;
  std::uint16_t port = 587;
  Tls tls = Tls::starttls;
  std::string user;                     ///< empty: no AUTH
  std::filesystem::path password_file;  ///< first line; read for each new connection, so that a mended one is seen
  std::filesystem::path ca_file;        ///< PEM; empty: the system's authorities
  std::string from;                     ///< address: From header and envelope sender
  std::string from_name;
  std::string reply_to;           ///< address; empty: no Reply-To
  std::string message_id_domain;  ///< also what we call ourselves in EHLO
};

}  // namespace invited::mail
