# What all JSON front doors share, in the library with the listener.
target_sources(invited_http PRIVATE
  api/api_calls.cpp api/cors.cpp api/credentials.cpp api/invite_people.cpp api/json_answer.cpp api/json_input.cpp
  api/object_reader.cpp api/query_string.cpp api/strict_json.cpp)
