# The JSON front doors, in the library with the listener.
target_sources(invited_http PRIVATE
  dialects/base44.cpp
  dialects/gorules.cpp
  dialects/medusa.cpp
  dialects/medusa_auth.cpp
  dialects/medusa_query.cpp
  dialects/medusa_shapes.cpp
  dialects/medusa_tokens.cpp
  dialects/v1.cpp
  dialects/v1_documents.cpp
  dialects/v1_input.cpp
  dialects/v1_invitations.cpp
  dialects/v1_json.cpp
  dialects/v1_listing.cpp
  dialects/v1_page.cpp
  dialects/v1_people.cpp
  dialects/v1_tags.cpp)
# JSON Web Tokens, for Medusa.
pkg_check_modules(LIBJWT REQUIRED IMPORTED_TARGET libjwt)
target_link_libraries(invited_http PRIVATE PkgConfig::LIBJWT)
invited_embed(invited_http invited::http::v1::documents dialects/openapi.json)
