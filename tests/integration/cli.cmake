# The command line, as users meet it.
find_program(PRISM_SYSTEM_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
if(PRISM_SYSTEM_PYTHON)
  set(cli_suites usage runs checkpoint)
  if(PRISM_HAVE_MPI)
    list(APPEND cli_suites mpi devices)
  endif()
  foreach(suite ${cli_suites})
    add_test(NAME integration.cli_${suite}
             COMMAND ${PRISM_SYSTEM_PYTHON} -B ${CMAKE_CURRENT_LIST_DIR}/test_cli_${suite}.py
                     $<TARGET_FILE:prism-dist> $<TARGET_FILE:prism>)
    set_tests_properties(integration.cli_${suite} PROPERTIES LABELS integration TIMEOUT 600
                         PROCESSORS 2 SKIP_RETURN_CODE 77)
  endforeach()
  if(PRISM_HAVE_MPI)
    foreach(suite mpi devices checkpoint)
      set_tests_properties(integration.cli_${suite} PROPERTIES LABELS "integration;mpi")
      if(MPIEXEC_EXECUTABLE)
        set_tests_properties(integration.cli_${suite} PROPERTIES
                             ENVIRONMENT "MPIEXEC=${MPIEXEC_EXECUTABLE}")
      endif()
    endforeach()
  endif()
  if(TARGET prism_cuda)
    add_test(NAME integration.gpu
             COMMAND ${PRISM_SYSTEM_PYTHON} -B ${CMAKE_CURRENT_LIST_DIR}/test_gpu.py
                     $<TARGET_FILE:prism-dist> $<TARGET_FILE:prism>)
    set_tests_properties(integration.gpu PROPERTIES LABELS "integration;gpu" TIMEOUT 300
                         RESOURCE_LOCK gpu SKIP_RETURN_CODE 77)
  endif()
endif()
