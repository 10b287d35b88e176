# cmocka::cmocka, the unit test library (https://cmocka.org). Its own package
# file exists only since 1.1.6, later than Debian 12.
find_path(CMOCKA_INCLUDE_DIR cmocka.h)
find_library(CMOCKA_LIBRARY cmocka)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(cmocka REQUIRED_VARS CMOCKA_LIBRARY CMOCKA_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "install it (Debian, Ubuntu: libcmocka-dev), run scripts/setup.sh, or \
configure with -DBUILD_TESTING=OFF to go without tests")
mark_as_advanced(CMOCKA_INCLUDE_DIR CMOCKA_LIBRARY)

if(cmocka_FOUND AND NOT TARGET cmocka::cmocka)
  add_library(cmocka::cmocka UNKNOWN IMPORTED)
  set_target_properties(cmocka::cmocka PROPERTIES
    IMPORTED_LOCATION ${CMOCKA_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${CMOCKA_INCLUDE_DIR})
endif()
