# The search floor. The inner loops are compiled once per instruction set and
# chosen at run time; all other files use the baseline.
prism_floor(prism_search ${PROJECT_SOURCE_DIR}/src/search/*.c)
target_link_libraries(prism_search PUBLIC prism_seam)

set_source_files_properties(${PROJECT_SOURCE_DIR}/src/search/kernel_portable.c
  PROPERTIES COMPILE_OPTIONS "-O3")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set_source_files_properties(${PROJECT_SOURCE_DIR}/src/search/kernel_avx2.c
    PROPERTIES COMPILE_OPTIONS "-O3;-mavx2;-mbmi;-mbmi2;-mpopcnt;-mlzcnt")
  set_source_files_properties(${PROJECT_SOURCE_DIR}/src/search/kernel_avx512.c
    PROPERTIES COMPILE_OPTIONS
    "-O3;-mavx512f;-mavx512bw;-mavx512vl;-mavx512dq;-mbmi;-mbmi2;-mpopcnt;-mlzcnt;-mprefer-vector-width=512")
endif()
