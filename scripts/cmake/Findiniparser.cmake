# iniparser::iniparser, the INI reader (https://gitlab.com/iniparser/iniparser).
# Debian and Ubuntu put the header into a folder of its own, others do not.
find_path(INIPARSER_INCLUDE_DIR iniparser.h PATH_SUFFIXES iniparser)
find_library(INIPARSER_LIBRARY iniparser)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(iniparser REQUIRED_VARS INIPARSER_LIBRARY INIPARSER_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "install it (Debian, Ubuntu: libiniparser-dev) or run scripts/setup.sh")
mark_as_advanced(INIPARSER_INCLUDE_DIR INIPARSER_LIBRARY)

if(iniparser_FOUND AND NOT TARGET iniparser::iniparser)
  add_library(iniparser::iniparser UNKNOWN IMPORTED)
  set_target_properties(iniparser::iniparser PROPERTIES
    IMPORTED_LOCATION ${INIPARSER_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${INIPARSER_INCLUDE_DIR})
endif()
