# The pages, in the library with the listener.
target_sources(invited_http PRIVATE
  account_pages.cpp assets.cpp captured_mail_pages.cpp cookies.cpp csrf.cpp form.cpp form_state.cpp home_page.cpp html.cpp
  invitation_pages.cpp profile_page.cpp refusal_pages.cpp session_cookie.cpp)

file(GLOB page_templates CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/templates/*.html)
invited_embed(invited_http invited::http::templates ${page_templates})
invited_embed(invited_http invited::http::assets assets/icon.svg assets/invited.css assets/mails.js assets/password.js)
