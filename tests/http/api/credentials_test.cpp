#include "http/api/credentials.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace invited::http {
namespace {

using Kind = Credential::Kind;

Request with(const std::vector<std::string>& fields) {
  Request request;
  for (const auto& field : fields) request.headers.add("authorization", field);
  return request;
}

TEST(Credentials, AreFoundInTheAuthorizationField) {
  struct Case {
    std::vector<std::string> fields;
    Kind kind;
    std::string secret;
  };
  for (const Case& c : {
           Case{{}, Kind::none, ""},
           Case{{"Bearer TOK"}, Kind::bearer, "TOK"},
           Case{{"bearer TOK"}, Kind::bearer, "TOK"},
           Case{{"BEARER   a.b-c_d~e+f/g=="}, Kind::bearer, "a.b-c_d~e+f/g=="},
           Case{{"Basic c2tfMTIzOg=="}, Kind::basic, "sk_123"},         // sk_123:
           Case{{"basic OnNrXzEyMw=="}, Kind::basic, "sk_123"},         // :sk_123
           Case{{"Basic sk_123"}, Kind::basic, "sk_123"},               //
           Case{{"Basic c2tfMTIz"}, Kind::basic, "c2tfMTIz"},           // base64, but of no pair
           Case{{"Basic c2tfMTIzOg"}, Kind::basic, "c2tfMTIzOg"},       // no padding: no base64
           Case{{"Basic Om5hbWU6cGFzcw=="}, Kind::basic, "name:pass"},  // :name:pass
           Case{{"Basic dXNlcjpwYXNz"}, Kind::malformed, ""},           // user:pass
           Case{{"Basic Og=="}, Kind::malformed, ""},                   // :
           Case{{"Basic YSBiOg=="}, Kind::malformed, ""},               // "a b:"
           Case{{"Basic AGE6"}, Kind::malformed, ""},                   // NUL a :
           Case{{""}, Kind::malformed, ""},
           Case{{"Bearer"}, Kind::malformed, ""},
           Case{{"Bearer "}, Kind::malformed, ""},
           Case{{"Bearer a b"}, Kind::malformed, ""},
           Case{{"Bearer a\tb"}, Kind::malformed, ""},
           Case{{"Bearer \xC3\xA9"}, Kind::malformed, ""},
           Case{{"TOK"}, Kind::malformed, ""},
           Case{{"Digest username=a"}, Kind::malformed, ""},
           Case{{"Bearer a", "Bearer a"}, Kind::malformed, ""},
       }) {
    const Credential credential = read_credential(with(c.fields));
    const std::string what = c.fields.empty() ? "nothing" : c.fields.front();
    EXPECT_EQ(credential.kind, c.kind) << what;
    EXPECT_EQ(credential.secret.reveal(), c.secret) << what;
  }
}

}  // namespace
}  // namespace invited::http
