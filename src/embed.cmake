# invited_embed(<target> <namespace> <file>...): compiles files into <target> as
#   namespace <namespace> { std::span<const base::EmbeddedFile> files(); }   (declared in base/embedded_file.h)
# An entry's name is the file's name without its folder. Text and binary alike.
function(invited_embed target namespace)
  string(REPLACE "::" "_" stem ${namespace})
  set(output ${CMAKE_CURRENT_BINARY_DIR}/embedded_${stem}.cpp)
  set(paths)
  foreach(file ${ARGN})
    cmake_path(ABSOLUTE_PATH file BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} OUTPUT_VARIABLE path)
    list(APPEND paths ${path})
  endforeach()
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DNAMESPACE=${namespace} -DOUTPUT=${output} "-DFILES=${paths}"
            -P ${CMAKE_SOURCE_DIR}/src/embed_files.cmake
    DEPENDS ${paths} ${CMAKE_SOURCE_DIR}/src/embed_files.cmake
    VERBATIM)
  target_sources(${target} PRIVATE ${output})
endfunction()
