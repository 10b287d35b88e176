# The run file: read back with HDF5 itself, killed while it is written, plotted.
add_executable(store_writer ${CMAKE_CURRENT_LIST_DIR}/store_writer.c)
target_link_libraries(store_writer PRIVATE prism_solve prism_flags)

prism_cmocka(integration ${CMAKE_CURRENT_LIST_DIR}/test_store_file.c prism_hdf5)
prism_cmocka(integration ${CMAKE_CURRENT_LIST_DIR}/test_store_kill.c prism_hdf5)
add_dependencies(integration_test_store_kill store_writer)
target_compile_definitions(integration_test_store_kill PRIVATE
  STORE_WRITER="$<TARGET_FILE:store_writer>")

find_program(PRISM_SYSTEM_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
if(PRISM_SYSTEM_PYTHON)
  add_test(NAME integration.plot_run
           COMMAND ${PRISM_SYSTEM_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/test_plot_run.py
                   $<TARGET_FILE:store_writer> ${PROJECT_SOURCE_DIR}/scripts/plot_run.py)
  set_tests_properties(integration.plot_run PROPERTIES LABELS integration TIMEOUT 300
                       SKIP_RETURN_CODE 77)
endif()
