# One suite, every engine: the CPU engine with each of its instruction sets.
add_library(engine_suite STATIC engine_suite.c engine_suite_hooks.c)
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
