# fl_embed(<target> <file> <symbol>) - compile a file into a target, so that the binary needs no data folder.
# The target then sees "<symbol>.h", which declares `extern const fl_slice <symbol>;`. The bytes are
# followed by a NUL that is not counted, so text can be handed to functions that want a C string.
set(FL_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/EmbedFile.cmake)

function(fl_embed target file symbol)
  if(NOT symbol MATCHES "^fl_")
    message(FATAL_ERROR "fl_embed: ${symbol} would be an exported name that does not begin with fl_")
  endif()
  set(dir ${CMAKE_CURRENT_BINARY_DIR}/embed)
  cmake_path(ABSOLUTE_PATH file BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} NORMALIZE OUTPUT_VARIABLE input)
  add_custom_command(
    OUTPUT ${dir}/${symbol}.c ${dir}/${symbol}.h
    COMMAND ${CMAKE_COMMAND} -D INPUT=${input} -D SYMBOL=${symbol} -D OUTPUT_DIR=${dir} -P ${FL_EMBED_SCRIPT}
    DEPENDS ${input} ${FL_EMBED_SCRIPT}
    COMMENT "Embedding ${file}"
    VERBATIM)
  target_sources(${target} PRIVATE ${dir}/${symbol}.c ${dir}/${symbol}.h)
  target_include_directories(${target} PRIVATE ${dir})
endfunction()
