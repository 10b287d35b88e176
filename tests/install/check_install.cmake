# Installs a build tree into a new folder and builds and runs the consumer against
# it: by find_package, and by pkg-config where that is installed.
# [in] build_dir, work_dir, generator, c_compiler, c_flags, build_type, bin_dir, lib_dir
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE out ERROR_VARIABLE out)
  if(NOT status EQUAL 0)
    string(REPLACE ";" " " command "${ARGN}")
    message(FATAL_ERROR "failed (${status}): ${command}\n${out}")
  endif()
endfunction()

file(REMOVE_RECURSE ${work_dir})
set(prefix ${work_dir}/prefix)
run(${CMAKE_COMMAND} --install ${build_dir} --prefix ${prefix})

run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/consumer -B ${work_dir}/consumer -G ${generator}
    -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_BUILD_TYPE=${build_type}
    -DCMAKE_C_COMPILER=${c_compiler} -DCMAKE_C_FLAGS=${c_flags} -DCMAKE_EXE_LINKER_FLAGS=${c_flags})
run(${CMAKE_COMMAND} --build ${work_dir}/consumer)
run(${work_dir}/consumer/consumer)
if(EXISTS ${work_dir}/consumer/consumer_cuda)
  run(${work_dir}/consumer/consumer_cuda)
endif()

# Every installed header stands alone.
file(GLOB_RECURSE headers RELATIVE ${prefix}/include ${prefix}/include/*.h)
foreach(header ${headers})
  if(NOT header STREQUAL "prism/comm_mpi.h") # needs mpi.h, which mpicc finds
    file(WRITE ${work_dir}/alone.c "#include <${header}>\n#include <${header}>\n")
    run(${c_compiler} -std=gnu11 -Wall -Wextra -Werror -fsyntax-only -I${prefix}/include
        ${work_dir}/alone.c)
  endif()
endforeach()

find_program(pkg_config NAMES pkg-config pkgconf)
if(pkg_config)
  set(ENV{PKG_CONFIG_PATH} ${prefix}/${lib_dir}/pkgconfig)
  execute_process(COMMAND ${pkg_config} --cflags --libs prism OUTPUT_VARIABLE flags
    OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(flags UNIX_COMMAND "${flags}")
  separate_arguments(c_flags UNIX_COMMAND "${c_flags}")
  run(${c_compiler} ${c_flags} -Wall -Wextra -Werror ${CMAKE_CURRENT_LIST_DIR}/consumer/main.c
      -o ${work_dir}/by_pkg_config ${flags})
  run(${work_dir}/by_pkg_config)
endif()

run(${prefix}/${bin_dir}/prism-dist --version)
run(${prefix}/${bin_dir}/prism --version)
file(GLOB_RECURSE package ${prefix}/__main__.py) # of prism report
if(NOT package MATCHES "/prism-dist/prism_analysis/__main__.py$")
  message(FATAL_ERROR "the package of prism report is not installed: '${package}'")
endif()
file(REMOVE_RECURSE ${work_dir})
