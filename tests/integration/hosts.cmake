# Ranks on two hosts that are namespaces of this machine, and jobs in which something fails.
# They wait more than they compute: other tests run beside them.
if(PRISM_HAVE_MPI)
  add_library(prism_strike MODULE ${PROJECT_SOURCE_DIR}/tests/conformance/strike.c)
  target_link_libraries(prism_strike PRIVATE MPI::MPI_C prism_flags)

  find_program(PRISM_SYSTEM_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
  if(PRISM_SYSTEM_PYTHON)
    foreach(suite two_hosts failures)
      add_test(NAME integration.${suite}
               COMMAND ${PRISM_SYSTEM_PYTHON} -B ${CMAKE_CURRENT_LIST_DIR}/test_${suite}.py
                       $<TARGET_FILE:prism-dist> $<TARGET_FILE:prism>)
      set_tests_properties(integration.${suite} PROPERTIES LABELS "integration;mpi" TIMEOUT 600
                           SKIP_RETURN_CODE 77)
      set(environment "PRISM_STRIKE_LIBRARY=$<TARGET_FILE:prism_strike>")
      if(MPIEXEC_EXECUTABLE)
        list(APPEND environment "MPIEXEC=${MPIEXEC_EXECUTABLE}")
      endif()
      set_tests_properties(integration.${suite} PROPERTIES ENVIRONMENT "${environment}")
    endforeach()
  endif()
endif()
