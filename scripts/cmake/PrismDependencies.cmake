set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_package(SerialHDF5 1.10 REQUIRED)
find_package(iniparser REQUIRED)

set(PRISM_HAVE_MPI OFF)
if(PRISM_MPI STREQUAL "AUTO")
  find_package(MPI COMPONENTS C)
  set(PRISM_HAVE_MPI ${MPI_C_FOUND})
elseif(PRISM_MPI)
  find_package(MPI REQUIRED COMPONENTS C)
  set(PRISM_HAVE_MPI ON)
endif()

# Short names for the targets of this tree.
add_library(prism_hdf5 ALIAS SerialHDF5::SerialHDF5)
add_library(prism_iniparser ALIAS iniparser::iniparser)
