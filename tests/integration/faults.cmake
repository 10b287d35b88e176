# Faults made on purpose. They wait more than they compute: other tests run beside them.
add_library(prism_fault_shim MODULE ${CMAKE_CURRENT_LIST_DIR}/fault_shim.c)
target_link_libraries(prism_fault_shim PRIVATE prism_flags)

find_program(PRISM_SYSTEM_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
if(PRISM_SYSTEM_PYTHON)
  # TESTS in test_faults_FILE.py; further arguments: LABELS, TIMEOUT, ENVIRONMENT
  function(fault_test name file)
    cmake_parse_arguments(fault "" "TIMEOUT" "LABELS;ENVIRONMENT;TESTS" ${ARGN})
    add_test(NAME integration.faults_${name}
             COMMAND ${PRISM_SYSTEM_PYTHON} -B ${CMAKE_CURRENT_LIST_DIR}/test_faults_${file}.py
                     $<TARGET_FILE:prism-dist> $<TARGET_FILE:prism> ${fault_TESTS})
    set(environment "PRISM_FAULT_SHIM=$<TARGET_FILE:prism_fault_shim>" ${fault_ENVIRONMENT})
    if(MPIEXEC_EXECUTABLE)
      list(APPEND environment "MPIEXEC=${MPIEXEC_EXECUTABLE}")
    endif()
    set_tests_properties(integration.faults_${name} PROPERTIES LABELS "integration;${fault_LABELS}"
                         TIMEOUT ${fault_TIMEOUT} SKIP_RETURN_CODE 77
                         ENVIRONMENT "${environment}")
  endfunction()

  fault_test(disk disk TIMEOUT 300 TESTS
    test_full_disk_for_a_while test_full_disk_to_the_end test_full_disk_at_the_start
    test_read_only_folder test_files_deleted test_slow_disk test_clock_jumps test_same_name
    test_same_checkpoint)
  set(kills test_kill_run_file test_kill_jsonl test_kill_solution test_kill_checkpoint
    test_lying_checkpoint
    test_previous_checkpoint)
  fault_test(kill kill TIMEOUT 600 TESTS ${kills})
  fault_test(kill_long kill TIMEOUT 6000 LABELS long ENVIRONMENT PRISM_FAULT_TRIALS=100
    TESTS ${kills})
  fault_test(memory limits TIMEOUT 300 TESTS test_memory_limit test_memory_limit_in_the_search)
  fault_test(stopped limits TIMEOUT 300 LABELS mpi TESTS test_job_stopped)
  fault_test(many_runs limits TIMEOUT 600 LABELS mpi TESTS test_many_runs)
  fault_test(many_runs_long limits TIMEOUT 3000 LABELS "mpi;long" ENVIRONMENT PRISM_FAULT_RUNS=1000
    TESTS test_many_runs)
  # PRISM_SOAK_SECONDS when the test runs, an hour without; the limit here is that of a day.
  fault_test(soak limits TIMEOUT 90000 LABELS "mpi;long" TESTS test_soak)
endif()
