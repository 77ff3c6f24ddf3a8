# The JSON front doors, in the library with the listener.
target_sources(invited_http PRIVATE
  dialects/base44.cpp
  dialects/gorules.cpp
  dialects/medusa.cpp
  dialects/v1.cpp)
