# The bulk suite on NCCL, one GPU for each rank. A machine with GPUs has the tests that it
# has GPUs for; on others all are there, and skip.
if(NOT TARGET prism_cuda OR NOT TARGET prism_mpi)
  return()
endif()
add_executable(conformance_bulk_nccl bulk_nccl_main.c)
target_link_libraries(conformance_bulk_nccl PRIVATE bulk_suite prism_mpi prism_cuda prism_flags)
add_dependencies(gpu_tests conformance_bulk_nccl)
file(GLOB gpus /dev/nvidia[0-9]*)
list(LENGTH gpus gpu_count)
foreach(ranks 1 2 4 8)
  if(gpu_count GREATER_EQUAL ranks OR gpu_count EQUAL 0)
    set(name multigpu.bulk_nccl_${ranks})
    add_test(NAME ${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/run_mpi.sh
      ${ranks} $<TARGET_FILE:conformance_bulk_nccl> ${MPIEXEC_EXECUTABLE})
    # NCCL's threads need cores of their own, so ranks are not bound to one.
    set_tests_properties(${name} PROPERTIES LABELS "conformance;gpu;multigpu" RESOURCE_LOCK gpu
      ENVIRONMENT "${mpi_environment};OMPI_MCA_hwloc_base_binding_policy=none"
      TIMEOUT 300 SKIP_RETURN_CODE 77)
  endif()
endforeach()
