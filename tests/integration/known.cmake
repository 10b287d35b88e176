# Whole runs on graphs of known chromatic number: the bundled ones, and those of
# PRISM_INSTANCES (skipped without it).
find_package(Python3 REQUIRED COMPONENTS Interpreter)
function(known_test name labels)
  if("mpi" IN_LIST labels AND NOT PRISM_HAVE_MPI)
    return()
  endif()
  add_test(NAME integration.known_${name}
           COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_LIST_DIR}/test_known.py
                   $<TARGET_FILE:prism-dist> $<TARGET_FILE:prism> ${ARGN})
  set_tests_properties(integration.known_${name} PROPERTIES LABELS "${labels}" TIMEOUT 3000
                       PROCESSORS 2 SKIP_RETURN_CODE 77
                       ENVIRONMENT "PRISM_INSTANCES=${PRISM_INSTANCES}")
endfunction()

known_test(examples "integration" test_examples test_large_mesh test_infeasible)
known_test(instances "integration;dimacs" test_instances)
known_test(hard "integration;dimacs;long" test_hard_instances)
known_test(ranks "integration;dimacs;mpi;long" test_hard_with_ranks)
