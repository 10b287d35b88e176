include(GNUInstallDirs)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON) # POSIX and GNU functions
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug or RelWithDebInfo" FORCE)
endif()

set(PRISM_MPI AUTO CACHE STRING "MPI communicator: AUTO, ON or OFF")
set_property(CACHE PRISM_MPI PROPERTY STRINGS AUTO ON OFF)
set(PRISM_SANITIZE "" CACHE STRING "Sanitizers, e.g. address,undefined or thread")
option(PRISM_COVERAGE "Collect test coverage" OFF)
option(PRISM_WERROR "Treat warnings as errors" OFF)

# Benchmark graphs that are not part of this repository; tests that need one skip without it.
get_filename_component(instances ${PROJECT_SOURCE_DIR}/../shared/instances ABSOLUTE)
if(NOT EXISTS ${instances})
  set(instances "")
endif()
set(PRISM_INSTANCES "${instances}" CACHE PATH "Folder of DIMACS graphs for the tests")

# Flags of every target of ours.
add_library(prism_flags INTERFACE)
target_compile_definitions(prism_flags INTERFACE $<$<COMPILE_LANGUAGE:C>:_GNU_SOURCE>)
set(c_flags -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
  $<$<BOOL:${PRISM_WERROR}>:-Werror>)
# Line numbers for the profiler and compute-sanitizer; they cost no speed.
set(cuda_flags -lineinfo -Xcompiler=-Wall,-Wextra
  $<$<BOOL:${PRISM_WERROR}>:-Werror=all-warnings> $<$<BOOL:${PRISM_WERROR}>:-Xcompiler=-Werror>)
target_compile_options(prism_flags INTERFACE
  "$<$<COMPILE_LANGUAGE:C>:${c_flags}>" "$<$<COMPILE_LANGUAGE:CUDA>:${cuda_flags}>")
if(PRISM_SANITIZE) # of every target: a program and its libraries must agree
  set(sanitize_flags -fsanitize=${PRISM_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_compile_options("$<$<COMPILE_LANGUAGE:C>:${sanitize_flags}>")
  add_link_options(-fsanitize=${PRISM_SANITIZE})
endif()
if(PRISM_COVERAGE)
  add_compile_options($<$<COMPILE_LANGUAGE:C>:--coverage>)
  add_link_options(--coverage)
endif()
