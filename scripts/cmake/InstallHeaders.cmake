# Runs at install time. [in] source_dir, include_dir (with DESTDIR), with_mpi.
# Copies the headers to include_dir and lets them name each other as prism/....
set(floors base model seam search solve)

function(install_header source target)
  file(READ ${source} text)
  string(REGEX REPLACE "#include \"(base|model|seam|search|solve)/" "#include \"prism/\\1/" text
         "${text}")
  set(old "")
  if(EXISTS ${target})
    file(READ ${target} old)
  endif()
  if(NOT text STREQUAL old)
    file(WRITE ${target} "${text}")
  endif()
  message(STATUS "Header: ${target}")
endfunction()

install_header(${source_dir}/include/prism/prism.h ${include_dir}/prism.h)
if(with_mpi)
  install_header(${source_dir}/mpi/comm_mpi.h ${include_dir}/comm_mpi.h)
endif()
foreach(floor ${floors})
  file(GLOB headers ${source_dir}/src/${floor}/*.h)
  foreach(header ${headers})
    get_filename_component(name ${header} NAME)
    install_header(${header} ${include_dir}/${floor}/${name})
  endforeach()
endforeach()
