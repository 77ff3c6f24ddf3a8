// A form as it is shown again: what is wrong with each field and with the whole, and the status that goes with it.
// Messages are English msgids; what was typed is kept by the page itself, passwords never. What can be told without the
// database and without the cost of hashing is told here, all at once. A value; not shared between threads.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "domain/error.h"
#include "http/html.h"

namespace invited::http {

class FormState {
 public:
  /// Names the field's input; the first error of a field stays. Makes the status 422, if it is none yet.
  void add_error(std::string field, std::string message);
  /// About the whole.
  void set_notice(int status, std::string_view message);

  /// Of a form of ours that cannot be taken: about the whole. Makes the status 403.
  static FormState out_of_date();

  /// Field "name".
  void check_name(std::string_view typed);
  /// Fields "password" and "password_again": for a new one.
  void check_new_password(std::string_view password, std::string_view again);
  /// Field "password": for one that is there already.
  void check_password(std::string_view password);

  /// Puts a refusal of the domain where it belongs; false where it is none of a form's.
  bool take(const domain::Error& error);

  int status() const { return status_; }
  bool is_clean() const { return status_ == 200; }

  /// `{field}_error` for each field, and what the template part_errors shows; `order`: the fields as they stand in the
  /// form. Translated.
  void put_into(PageData& data, base::Language language, std::span<const std::string_view> order) const;
  /// The translated message of one field, or empty.
  std::string error_of(std::string_view field, base::Language language) const;
  void put_into(Response& response) const;  ///< Retry-After

 private:
  int status_ = 200;
  std::vector<std::pair<std::string, std::string>> errors_;
  std::string_view notice_;
  std::string retry_after_;
};

/// The value of a Retry-After header.
std::string retry_after(const domain::Error& error);

/// Every English text that forms may show beside those of their templates: for the test that they are translated.
std::span<const std::string_view> form_texts();

}  // namespace invited::http
