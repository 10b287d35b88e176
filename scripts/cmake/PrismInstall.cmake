include(CMakePackageConfigHelpers)

# --- the library -----------------------------------------------------------
get_property(floors GLOBAL PROPERTY PRISM_FLOORS)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/prism)
install(TARGETS ${floors} EXPORT prismTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT prismTargets NAMESPACE prism:: DESTINATION ${package_dir})

# Headers name each other from src/; installed, they lie under prism/, and one
# include folder must be enough for a user whose own tree may well have a base/.
install(CODE "set(source_dir \"${PROJECT_SOURCE_DIR}\")
set(include_dir \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_INCLUDEDIR}/prism\")
set(with_mpi ${PRISM_HAVE_MPI})
set(with_cuda ${PRISM_HAVE_CUDA})")
install(SCRIPT ${PROJECT_SOURCE_DIR}/scripts/cmake/InstallHeaders.cmake)

configure_package_config_file(${PROJECT_SOURCE_DIR}/scripts/cmake/prismConfig.cmake.in
  ${PROJECT_BINARY_DIR}/prismConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/prismConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/prismConfig.cmake ${PROJECT_BINARY_DIR}/prismConfigVersion.cmake
  ${PROJECT_SOURCE_DIR}/scripts/cmake/FindSerialHDF5.cmake
  DESTINATION ${package_dir})

# pkg-config: found from the place of the .pc, so that the installed tree can be
# moved; the libraries are static, so what they need stands in Libs itself.
set(root /root)
file(RELATIVE_PATH pc_prefix ${root}/${CMAKE_INSTALL_LIBDIR}/pkgconfig ${root})
string(REGEX REPLACE "/$" "" pc_prefix ${pc_prefix})
set(pc_libs "")
foreach(library ${SerialHDF5_libraries})
  if(IS_ABSOLUTE ${library})
    string(APPEND pc_libs " ${library}")
  else()
    string(APPEND pc_libs " -l${library}")
  endif()
endforeach()
configure_file(${PROJECT_SOURCE_DIR}/scripts/cmake/prism.pc.in ${PROJECT_BINARY_DIR}/prism.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/prism.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# --- the programs and what goes with them -----------------------------------
install(TARGETS prism-dist prism RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY configs examples DESTINATION ${CMAKE_INSTALL_DATADIR}/prism-dist)
install(DIRECTORY scripts/prism_analysis DESTINATION ${CMAKE_INSTALL_DATADIR}/prism-dist
  FILES_MATCHING PATTERN "*.py" PATTERN "pyproject.toml" PATTERN "__pycache__" EXCLUDE
  PATTERN "build" EXCLUDE PATTERN "*.egg-info" EXCLUDE)
install(FILES README.md LICENSE CITATION.cff DESTINATION ${CMAKE_INSTALL_DOCDIR})
