# `cpack -G DEB` in a build folder: one Debian package of the program, its pages, its service and its configuration.
# The library for developers is not in it; `cmake --install` puts that elsewhere.
if(NOT TARGET faultline_cli)
  return()
endif()

# The file that is installed says all settings, as comments: the program knows them.
set(FL_EXAMPLE_CONFIG ${PROJECT_BINARY_DIR}/packaging/faultline.yaml)
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/packaging)
add_custom_command(OUTPUT ${FL_EXAMPLE_CONFIG} DEPENDS faultline_cli VERBATIM
  COMMAND faultline_cli config example > ${FL_EXAMPLE_CONFIG})
add_custom_target(faultline_packaging ALL DEPENDS ${FL_EXAMPLE_CONFIG})

# Only a package may write there: `cmake --install` leaves this component out.
install(FILES ${FL_EXAMPLE_CONFIG} DESTINATION /etc/faultline COMPONENT package EXCLUDE_FROM_ALL)
install(FILES packaging/faultline.service DESTINATION /lib/systemd/system COMPONENT package EXCLUDE_FROM_ALL)
install(FILES packaging/debian/copyright DESTINATION /usr/share/doc/faultline COMPONENT package EXCLUDE_FROM_ALL)
install(FILES CHANGELOG.md DESTINATION /usr/share/doc/faultline RENAME NEWS.md COMPONENT package EXCLUDE_FROM_ALL)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME faultline)
set(CPACK_PACKAGE_VENDOR "The Faultline authors")
set(CPACK_PACKAGE_CONTACT "The Faultline authors <faultline@faultline.invalid>")
set(CPACK_PACKAGE_HOMEPAGE_URL "https://faultline.invalid/")
# Staged below DESTDIR, since /etc and /lib are not below the prefix.
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/PackageStage.cmake)
set(CPACK_COMPONENTS_ALL program package)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_DEB_COMPONENT_INSTALL ON)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_NAME faultline)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "finds root causes of incidents in telemetry")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Faultline reads the logs, traces, metrics and profiles that a team already
has, and answers where an incident came from, with the evidence for it. It
remembers what fixed it.
.
The package has the program and a service, which receives telemetry on this
machine's own ports and keeps it in /var/lib/faultline.")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# What is loaded when it is needed (base/lazy.h) and therefore not linked; named t64 since Debian 13.
set(CPACK_DEBIAN_PACKAGE_DEPENDS
  "libcurl4 | libcurl4t64, libgnutls30 | libgnutls30t64, libmicrohttpd12 | libmicrohttpd12t64, libnghttp2-14, libpq5")
# Only where the configuration names brokers.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "librdkafka1")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "postgresql")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${PROJECT_SOURCE_DIR}/packaging/debian/conffiles
  ${PROJECT_SOURCE_DIR}/packaging/debian/postinst
  ${PROJECT_SOURCE_DIR}/packaging/debian/prerm
  ${PROJECT_SOURCE_DIR}/packaging/debian/postrm)
include(CPack)
