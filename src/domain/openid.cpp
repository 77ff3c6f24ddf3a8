#include "domain/openid.h"

#include <vector>

#include "base/utf8.h"
#include "domain/app.h"

namespace invited::domain {
namespace {

constexpr std::string_view kPublicUrl = "{public_url}";
constexpr std::string_view kAccountUuid = "{account_uuid}";
constexpr std::string_view kEmail = "{email}";
constexpr std::size_t kUuidLength = 36;
constexpr std::size_t kMaxEmailLength = 254;

struct Piece {
  enum class Kind { literal, account_uuid, email };
  Kind kind;
  std::string text;  ///< of a literal
};

std::string_view without_slash(std::string_view public_url) {
  while (public_url.ends_with('/')) public_url.remove_suffix(1);
  return public_url;
}

std::vector<Piece> split(std::string_view template_text, std::string_view public_url) {
  std::vector<Piece> pieces;
  std::string literal;
  const auto close_literal = [&] {
    if (!literal.empty()) pieces.push_back({Piece::Kind::literal, std::move(literal)});
    literal.clear();
  };
  while (!template_text.empty()) {
    if (template_text.starts_with(kPublicUrl)) {
      literal += without_slash(public_url);
      template_text.remove_prefix(kPublicUrl.size());
    } else if (template_text.starts_with(kAccountUuid)) {
      close_literal();
      pieces.push_back({Piece::Kind::account_uuid, {}});
      template_text.remove_prefix(kAccountUuid.size());
    } else if (template_text.starts_with(kEmail)) {
      close_literal();
      pieces.push_back({Piece::Kind::email, {}});
      template_text.remove_prefix(kEmail.size());
    } else {
      literal += template_text.front();
      template_text.remove_prefix(1);
    }
  }
  close_literal();
  return pieces;
}

std::unexpected<Error> refuse_template(std::string message) {
  return refuse(ErrorCode::invalid_parameter, std::move(message), "openid-template");
}

}  // namespace

Result<std::string> check_openid_template(std::string_view template_text, std::string_view public_url) {
  if (!base::is_valid_utf8(template_text) || base::has_hidden_characters(template_text))
    return refuse_template("The template holds characters that cannot stand in an OpenID: use plain text.");
  int uuids = 0;
  int emails = 0;
  std::size_t length = 0;
  std::size_t bytes = 0;
  for (const Piece& piece : split(template_text, public_url)) {
    switch (piece.kind) {
      case Piece::Kind::account_uuid:
        ++uuids;
        length += kUuidLength;
        bytes += kUuidLength;
        break;
      case Piece::Kind::email:
        ++emails;
        length += kMaxEmailLength;
        bytes += kMaxEmailLength;
        break;
      case Piece::Kind::literal:
        if (piece.text.find_first_of("{}") != std::string::npos)
          return refuse_template(
              "The template may hold {public_url}, {account_uuid} and {email}, and no other braces.");
        length += base::count_code_points(piece.text);
        bytes += piece.text.size();
        break;
    }
  }
  if (uuids > 1 || emails > 1 || uuids + emails == 0)
    return refuse_template(
        "The template must hold {account_uuid} or {email}, each at most once: otherwise people could not be told "
        "apart.");
  if (length > kMaxOpenIdLength || bytes > kMaxOpenIdBytes)
    return refuse_template("The template can make OpenIDs of more than " + std::to_string(kMaxOpenIdLength) +
                           " characters: make it shorter.");
  return std::string(template_text);
}

std::string make_openid(std::string_view template_text, std::string_view public_url, const Account& account) {
  std::string openid;
  for (const Piece& piece : split(template_text, public_url)) {
    switch (piece.kind) {
      case Piece::Kind::literal:
        openid += piece.text;
        break;
      case Piece::Kind::account_uuid:
        openid += account.id.to_string();
        break;
      case Piece::Kind::email:
        openid += account.email.key();
        break;
    }
  }
  return openid;
}

std::optional<OpenIdSubject> parse_openid(std::string_view template_text, std::string_view public_url,
                                          std::string_view openid) {
  const auto pieces = split(template_text, public_url);
  // All lengths but the address's are known, so there is one way only to read it.
  std::size_t fixed = 0;
  bool has_email = false;
  for (const Piece& piece : pieces) {
    has_email |= piece.kind == Piece::Kind::email;
    fixed += piece.kind == Piece::Kind::literal        ? piece.text.size()
             : piece.kind == Piece::Kind::account_uuid ? kUuidLength
                                                       : 0;
  }
  if (has_email ? openid.size() <= fixed : openid.size() != fixed) return std::nullopt;
  const std::size_t email_length = openid.size() - fixed;

  OpenIdSubject subject;
  for (const Piece& piece : pieces) {
    const std::size_t length = piece.kind == Piece::Kind::literal        ? piece.text.size()
                               : piece.kind == Piece::Kind::account_uuid ? kUuidLength
                                                                         : email_length;
    const std::string_view part = openid.substr(0, length);
    openid.remove_prefix(length);
    if (piece.kind == Piece::Kind::literal && part != piece.text) return std::nullopt;
    if (piece.kind == Piece::Kind::email) {
      const auto email = EmailAddress::parse(part);
      if (!email || email->key() != part) return std::nullopt;
      subject.email_key = part;
    }
    if (piece.kind == Piece::Kind::account_uuid) {
      subject.account_id = base::Uuid::parse(part);
      if (!subject.account_id || subject.account_id->to_string() != part) return std::nullopt;
    }
  }
  return subject;
}

}  // namespace invited::domain
