# fl_layer(<name> [DIR <dir>] SOURCES <files> [USES <lower layers>] [PACKAGES <pkg-config prefixes>])
# A folder is a library. Linking a layer is what makes its headers visible, so an include that
# points the wrong way does not compile. Packages are private: their headers stay in the layer.
function(fl_layer name)
  cmake_parse_arguments(ARG "" "DIR" "SOURCES;USES;PACKAGES" ${ARGN})
  list(TRANSFORM ARG_USES PREPEND fl_ OUTPUT_VARIABLE lower)
  list(TRANSFORM ARG_PACKAGES PREPEND PkgConfig:: OUTPUT_VARIABLE packages)
  add_library(fl_${name} OBJECT ${ARG_SOURCES})
  target_include_directories(fl_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include ${CMAKE_CURRENT_SOURCE_DIR}/${ARG_DIR})
  target_link_libraries(fl_${name} PUBLIC ${lower} PRIVATE fl_flags ${packages})
  set_property(GLOBAL APPEND PROPERTY FL_LAYERS fl_${name})
  set_property(GLOBAL APPEND PROPERTY FL_PACKAGES ${packages})
endfunction()
