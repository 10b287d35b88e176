# The live page: what it answers, and in a browser.
if(PRISM_SYSTEM_PYTHON)
  foreach(suite serve serve_page)
    add_test(NAME integration.${suite}
             COMMAND ${PRISM_SYSTEM_PYTHON} -B ${CMAKE_CURRENT_LIST_DIR}/test_${suite}.py
                     $<TARGET_FILE:prism-dist> $<TARGET_FILE:prism>)
    set_tests_properties(integration.${suite} PROPERTIES LABELS integration TIMEOUT 600
                         PROCESSORS 2 SKIP_RETURN_CODE 77)
  endforeach()
  set_tests_properties(integration.serve_page PROPERTIES LABELS "integration;long")
  if(MPIEXEC_EXECUTABLE)
    set_tests_properties(integration.serve_page PROPERTIES
                         ENVIRONMENT "MPIEXEC=${MPIEXEC_EXECUTABLE}")
  endif()
endif()
