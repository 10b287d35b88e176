# One suite, every engine: the CPU engine with each of its instruction sets, two of them
# joined, and the CUDA engine.
add_library(engine_suite STATIC engine_suite.c engine_suite_search.c engine_suite_hooks.c
  engine_suite_state.c)
target_include_directories(engine_suite PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}
  PRIVATE ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(engine_suite PUBLIC prism_seam PRIVATE prism_flags)

add_executable(conformance_engine_cpu engine_cpu_main.c)
target_link_libraries(conformance_engine_cpu PRIVATE engine_suite prism_search prism_flags)
foreach(isa portable avx2 avx512)
  add_test(NAME conformance.engine_cpu_${isa} COMMAND conformance_engine_cpu ${isa})
  set_tests_properties(conformance.engine_cpu_${isa} PROPERTIES LABELS conformance TIMEOUT 300
    SKIP_RETURN_CODE 77)
endforeach()

add_executable(conformance_engine_joint engine_joint_main.c)
target_link_libraries(conformance_engine_joint PRIVATE engine_suite prism_search prism_flags)
add_test(NAME conformance.engine_joint COMMAND conformance_engine_joint)
set_tests_properties(conformance.engine_joint PROPERTIES LABELS conformance TIMEOUT 300)

if(TARGET prism_cuda AND EXISTS ${PROJECT_SOURCE_DIR}/cuda/engine/engine_cuda.h)
  add_executable(conformance_engine_cuda engine_cuda_main.c)
  target_include_directories(conformance_engine_cuda PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(conformance_engine_cuda PRIVATE engine_suite prism_cuda prism_flags)
  add_dependencies(gpu_tests conformance_engine_cuda)
  add_test(NAME conformance.engine_cuda COMMAND conformance_engine_cuda)
  set_tests_properties(conformance.engine_cuda PROPERTIES LABELS "conformance;gpu" TIMEOUT 300
    RESOURCE_LOCK gpu SKIP_RETURN_CODE 77)
endif()
