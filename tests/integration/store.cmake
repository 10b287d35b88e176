# The run file: read back with HDF5 itself, killed while it is written.
add_executable(store_writer ${CMAKE_CURRENT_LIST_DIR}/store_writer.c)
target_link_libraries(store_writer PRIVATE prism_solve prism_flags)

prism_cmocka(integration ${CMAKE_CURRENT_LIST_DIR}/test_store_file.c prism_hdf5)
prism_cmocka(integration ${CMAKE_CURRENT_LIST_DIR}/test_store_kill.c prism_hdf5)
add_dependencies(integration_test_store_kill store_writer)
target_compile_definitions(integration_test_store_kill PRIVATE
  STORE_WRITER="$<TARGET_FILE:store_writer>")
