# What `cmake --install` puts where: the program, the library with its headers, a relocatable
# pkg-config file and CMake package, and what the program generates about itself.
set_target_properties(faultline PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})

# A shared library exports the functions that the installed headers declare, and nothing else.
if(BUILD_SHARED_LIBS)
  file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/faultline/*.h)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${headers})
  set(exported "")
  foreach(header IN LISTS headers)
    file(READ ${header} text)
    string(REGEX MATCHALL "\n[A-Za-z][A-Za-z0-9_ ]*[ *]fl_[a-z0-9_]+\\(" declarations "${text}")
    foreach(declaration IN LISTS declarations)
      string(REGEX MATCH "fl_[a-z0-9_]+\\($" name "${declaration}")
      string(REPLACE "(" ";" name "${name}")
      string(APPEND exported "    ${name}\n")
    endforeach()
  endforeach()
  file(WRITE ${PROJECT_BINARY_DIR}/faultline.map "{\n  global:\n${exported}  local: *;\n};\n")
  target_link_options(faultline PRIVATE -Wl,--version-script=${PROJECT_BINARY_DIR}/faultline.map)
  set_property(TARGET faultline APPEND PROPERTY LINK_DEPENDS ${PROJECT_BINARY_DIR}/faultline.map)
endif()

install(TARGETS faultline EXPORT faultlineTargets)
install(DIRECTORY include/faultline DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
if(TARGET faultline_cli)
  install(TARGETS faultline_cli COMPONENT program)
  install(DIRECTORY ${PROJECT_BINARY_DIR}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT program FILES_MATCHING PATTERN "*.1")
  set(completions ${PROJECT_BINARY_DIR}/completions)
  install(FILES ${completions}/faultline.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME faultline COMPONENT program)
  install(FILES ${completions}/_faultline DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions COMPONENT program)
  install(FILES ${completions}/faultline.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT program)
endif()

# A static library does not carry what it needs, so whoever links it must find that too: the
# package finds it by these lines, pkg-config by Requires.private.
set(FL_PACKAGE_LOOKUPS "")
set(FL_PC_REQUIRES "")
get_property(packages GLOBAL PROPERTY FL_PACKAGES)
list(REMOVE_DUPLICATES packages)
list(REMOVE_ITEM packages PkgConfig::SQLITE) # the program's alone
foreach(package IN LISTS packages)
  string(REPLACE "PkgConfig::" "" prefix ${package})
  list(APPEND FL_PC_REQUIRES ${${prefix}_MODULE_NAME})
  string(APPEND FL_PACKAGE_LOOKUPS "  pkg_check_modules(${prefix} QUIET IMPORTED_TARGET ${${prefix}_MODULE_NAME})\n"
    "  if(NOT ${prefix}_FOUND)\n    list(APPEND faultline_missing ${${prefix}_MODULE_NAME})\n  endif()\n")
endforeach()
list(JOIN FL_PC_REQUIRES " " FL_PC_REQUIRES)
get_target_property(FL_LIBRARY_TYPE faultline TYPE)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/faultline)
install(EXPORT faultlineTargets NAMESPACE faultline:: DESTINATION ${package_dir})
configure_package_config_file(cmake/faultlineConfig.cmake.in ${PROJECT_BINARY_DIR}/faultlineConfig.cmake
  INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/faultlineConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/faultlineConfig.cmake ${PROJECT_BINARY_DIR}/faultlineConfigVersion.cmake
  DESTINATION ${package_dir})

# Relative to the file itself, so that an installed tree may be moved.
file(RELATIVE_PATH FL_PC_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(cmake/faultline.pc.in ${PROJECT_BINARY_DIR}/faultline.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/faultline.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
