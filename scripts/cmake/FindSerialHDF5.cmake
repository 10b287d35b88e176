# SerialHDF5::SerialHDF5, the C library of the serial HDF5, also where a parallel
# one is installed beside it: the run file is written by one thread of one rank,
# and the parallel library has no single-writer/multiple-reader mode.
#
# HDF5's own definitions are left out: they repeat distribution flags such as
# _FORTIFY_SOURCE, which clash with a compiler that sets them itself.
set(HDF5_PREFER_PARALLEL FALSE)
find_package(HDF5 1.10 QUIET COMPONENTS C)

set(SerialHDF5_reason
    "install it (Debian, Ubuntu: libhdf5-dev), run scripts/setup.sh, or set HDF5_ROOT")
if(HDF5_FOUND AND HDF5_IS_PARALLEL)
  set(SerialHDF5_reason "only a parallel HDF5 was found; ${SerialHDF5_reason}")
  set(SerialHDF5_libraries SerialHDF5_libraries-NOTFOUND)
elseif(HDF5_FOUND)
  set(SerialHDF5_libraries ${HDF5_C_LIBRARIES})
  # A shared library brings what it needs itself.
  set(SerialHDF5_shared ${HDF5_C_LIBRARIES})
  list(FILTER SerialHDF5_shared INCLUDE REGEX "/libhdf5(_serial)?\\.(so|dylib)$")
  if(SerialHDF5_shared)
    set(SerialHDF5_libraries ${SerialHDF5_shared})
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(SerialHDF5
  REQUIRED_VARS SerialHDF5_libraries HDF5_C_INCLUDE_DIRS
  VERSION_VAR HDF5_VERSION REASON_FAILURE_MESSAGE "${SerialHDF5_reason}")

if(SerialHDF5_FOUND AND NOT TARGET SerialHDF5::SerialHDF5)
  add_library(SerialHDF5::SerialHDF5 INTERFACE IMPORTED)
  set_target_properties(SerialHDF5::SerialHDF5 PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${HDF5_C_INCLUDE_DIRS}"
    INTERFACE_LINK_LIBRARIES "${SerialHDF5_libraries}")
endif()
