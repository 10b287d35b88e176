# The tools that look at runs.
find_program(PRISM_SYSTEM_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
if(PRISM_SYSTEM_PYTHON)
  add_test(NAME integration.monitor
           COMMAND ${PRISM_SYSTEM_PYTHON} -B ${CMAKE_CURRENT_LIST_DIR}/test_monitor.py
                   $<TARGET_FILE:prism-dist> $<TARGET_FILE:prism>)
  set_tests_properties(integration.monitor PROPERTIES LABELS integration TIMEOUT 600 PROCESSORS 2
                       SKIP_RETURN_CODE 77 ENVIRONMENT "STORE_WRITER=$<TARGET_FILE:store_writer>")
endif()
