# The program: configuration, keys, command line, wiring. Included by src/CMakeLists.txt.
find_package(CURL REQUIRED)
find_package(nlohmann_json REQUIRED)

# What tests link without the rest: settings and keys.
add_library(invited_config STATIC config.cpp config_file.cpp config_load.cpp config_values.cpp durable_file.cpp
            incarnation_file.cpp keys.cpp restore_guard.cpp)
target_link_libraries(invited_config PUBLIC invited_domain PRIVATE nlohmann_json::nlohmann_json)
target_precompile_headers(invited_config REUSE_FROM invited_base)

add_library(invited_retention STATIC retention.cpp history_export.cpp)
target_link_libraries(invited_retention PUBLIC invited_config PRIVATE invited_admin nlohmann_json::nlohmann_json)
target_precompile_headers(invited_retention REUSE_FROM invited_base)

add_library(invited_routes STATIC routes.cpp)
target_link_libraries(invited_routes PUBLIC invited_http invited_soap)
target_precompile_headers(invited_routes REUSE_FROM invited_base)

add_executable(invited
  main.cpp backup.cpp backup_job.cpp restore_backup.cpp housekeeping.cpp serve.cpp demo.cpp demo_mails.cpp state_folder.cpp
  cli/admin_command.cpp cli/admin_command_table.cpp
  cli/admin_command_table_apps.cpp cli/admin_command_table_mail.cpp cli/admin_command_table_webhooks.cpp cli/admin_command_table_people.cpp
  cli/admin_session.cpp cli/backup_command.cpp cli/check.cpp cli/check_files.cpp cli/command_line.cpp
  cli/migrate_store.cpp cli/output.cpp cli/probe_url.cpp cli/read_as.cpp cli/api_client.cpp cli/invite_command.cpp cli/service_choice.cpp cli/table.cpp)
target_link_libraries(invited PRIVATE
  invited_config invited_retention invited_routes invited_admin invited_mail invited_refresh invited_webhook invited_storage
  nlohmann_json::nlohmann_json CURL::libcurl)
target_precompile_headers(invited PRIVATE precompiled.h) # of its own: a program's code is compiled otherwise than a library's
set_target_properties(invited PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
