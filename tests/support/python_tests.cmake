# invited_script_test(<name> SCRIPT file [ARGUMENTS …] [TIMEOUT seconds] [LABELS …] [ENVIRONMENT …] [SERIAL]): a Python
# script that talks to the real program, as one CTest test. Exit status 77 is a test that could not run here. Of tests with
# the label faults there is a long form (support/end_to_end.py): CTest allows it four hours, the short form ends itself.
function(invited_script_test name)
  cmake_parse_arguments(ARG "SERIAL" "SCRIPT;TIMEOUT" "ARGUMENTS;LABELS;ENVIRONMENT" ${ARGN})
  if(NOT TARGET invited)
    return()
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 240)
  endif()
  set(limit ${ARG_TIMEOUT})
  if("faults" IN_LIST ARG_LABELS)
    set(limit 14400)
  endif()
  add_test(NAME ${name} COMMAND /usr/bin/python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/${ARG_SCRIPT} ${ARG_ARGUMENTS})
  set_tests_properties(${name} PROPERTIES
    LABELS "${ARG_LABELS}"
    ENVIRONMENT "INVITED_BINARY=$<TARGET_FILE:invited>;INVITED_SHORT_FORM_SECONDS=${ARG_TIMEOUT};${ARG_ENVIRONMENT}"
    TIMEOUT ${limit}
    SKIP_RETURN_CODE 77)
  if(ARG_SERIAL)
    set_tests_properties(${name} PROPERTIES RUN_SERIAL TRUE)
  endif()
endfunction()
