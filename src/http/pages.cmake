# The pages, in the library with the listener.
target_sources(invited_http PRIVATE
  assets.cpp captured_mail_pages.cpp csrf.cpp form.cpp home_page.cpp html.cpp invitation_pages.cpp)

file(GLOB page_templates CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/templates/*.html)
invited_embed(invited_http invited::http::templates ${page_templates})
invited_embed(invited_http invited::http::assets assets/icon.svg assets/invited.css assets/mails.js assets/password.js)
