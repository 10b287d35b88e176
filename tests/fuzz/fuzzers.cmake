# The same sources once more, compiled by clang for libFuzzer.
find_program(PRISM_CLANG NAMES clang clang-18 clang-17 clang-16 clang-15 clang-14 REQUIRED)
set(fuzz_sanitizers -fsanitize=address,undefined -fno-sanitize-recover=all)
set(hdf5_headers "$<TARGET_PROPERTY:SerialHDF5::SerialHDF5,INTERFACE_INCLUDE_DIRECTORIES>")
set(ini_headers "$<TARGET_PROPERTY:iniparser::iniparser,INTERFACE_INCLUDE_DIRECTORIES>")

# [out] an object file of SOURCE, with further options
function(fuzz_object source out)
  file(RELATIVE_PATH name ${PROJECT_SOURCE_DIR} ${source})
  string(REPLACE / _ name ${name})
  set(object ${CMAKE_CURRENT_BINARY_DIR}/objects/${name}.o)
  add_custom_command(OUTPUT ${object}
    COMMAND ${PRISM_CLANG} -std=gnu11 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer-no-link
            ${fuzz_sanitizers} ${ARGN} -I${PROJECT_SOURCE_DIR}/src
            "$<$<BOOL:${hdf5_headers}>:-isystem;$<JOIN:${hdf5_headers},;-isystem;>>"
            "$<$<BOOL:${ini_headers}>:-isystem;$<JOIN:${ini_headers},;-isystem;>>"
            -MMD -MF ${object}.d -c ${source} -o ${object}
    DEPENDS ${source} DEPFILE ${object}.d COMMAND_EXPAND_LISTS VERBATIM)
  set(${out} ${object} PARENT_SCOPE)
endfunction()

file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/objects)
file(GLOB fuzz_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/base/*.c
  ${PROJECT_SOURCE_DIR}/src/model/*.c ${PROJECT_SOURCE_DIR}/src/seam/*.c
  ${PROJECT_SOURCE_DIR}/src/search/*.c ${PROJECT_SOURCE_DIR}/src/solve/*.c)
set(fuzz_objects "")
foreach(source ${fuzz_sources})
  get_source_file_property(options ${source} TARGET_DIRECTORY prism_search COMPILE_OPTIONS)
  if(NOT options)
    set(options "")
  endif()
  fuzz_object(${source} object ${options})
  list(APPEND fuzz_objects ${object})
endforeach()
set(fuzz_archive ${CMAKE_CURRENT_BINARY_DIR}/libprism_fuzz.a)
add_custom_command(OUTPUT ${fuzz_archive}
  COMMAND ${CMAKE_COMMAND} -E rm -f ${fuzz_archive}
  COMMAND ${CMAKE_AR} rcs ${fuzz_archive} ${fuzz_objects} DEPENDS ${fuzz_objects} VERBATIM)

add_custom_target(fuzz_programs ALL)
foreach(reader ${readers})
  set(target ${CMAKE_CURRENT_BINARY_DIR}/fuzz_${reader})
  set(objects "")
  foreach(source ${CMAKE_CURRENT_SOURCE_DIR}/fuzz_${reader}.c ${${reader}_sources})
    fuzz_object(${source} object)
    list(APPEND objects ${object})
  endforeach()
  add_custom_command(OUTPUT ${target}
    COMMAND ${PRISM_CLANG} -fsanitize=fuzzer ${fuzz_sanitizers} ${objects} ${fuzz_archive}
            "$<TARGET_PROPERTY:iniparser::iniparser,IMPORTED_LOCATION>"
            "$<TARGET_PROPERTY:SerialHDF5::SerialHDF5,INTERFACE_LINK_LIBRARIES>"
            -lz -lm -lpthread -o ${target} COMMAND_EXPAND_LISTS
    DEPENDS ${objects} ${fuzz_archive} VERBATIM)
  add_custom_target(fuzz_${reader}_program DEPENDS ${target})
  add_dependencies(fuzz_programs fuzz_${reader}_program)
  # New inputs go to the build folder. The time comes from PRISM_FUZZ_SECONDS when the test
  # runs; the limit here is that of a day.
  add_test(NAME fuzz.run_${reader}
    COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/fuzz_run.sh ${target} ${CMAKE_CURRENT_SOURCE_DIR}
            ${reader} ${CMAKE_CURRENT_BINARY_DIR})
  set_tests_properties(fuzz.run_${reader} PROPERTIES LABELS "fuzz;long" TIMEOUT 90000)
endforeach()
