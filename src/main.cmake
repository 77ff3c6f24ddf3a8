# The program: configuration, keys, command line, wiring. Included by src/CMakeLists.txt.
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)

add_library(invited_config STATIC config.cpp config_file.cpp config_load.cpp config_values.cpp keys.cpp)
target_link_libraries(invited_config PUBLIC invited_domain PRIVATE nlohmann_json::nlohmann_json)
