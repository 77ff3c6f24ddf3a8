// How an account looks as a row: the variables that its statements bind. Only for storage's statements.
#pragma once

#include "storage/row_values.h"
#include "storage/statement.h"

namespace invited::storage {

struct AccountRow {
  Text id, email, email_key, name, password_hash;
  Number password_generation = 0;
  Number disabled = 0;
  Number created_at = 0;

  Columns columns() { return {&id, &email, &name, &password_hash, &password_generation, &disabled, &created_at}; }

  void set(const domain::Account& account) {
    id = account.id.to_string();
    email = account.email.text();
    email_key = account.email.key();
    name = account.name;
    password_hash = account.password_hash;
    password_generation = account.password_generation;
    disabled = account.disabled ? 1 : 0;
    created_at = to_number(account.created_at);
  }
  domain::Account get() const {
    return {to_uuid(id),
            to_email(email),
            name,
            password_hash,
            disabled != 0,
            to_time(created_at),
            static_cast<std::uint32_t>(password_generation)};
  }
};

inline constexpr std::string_view kAccountColumns =
    "SELECT id, email, name, password_hash, password_generation, disabled, created_at FROM account ";

}  // namespace invited::storage
