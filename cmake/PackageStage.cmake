# Run by cpack between staging and packing: what Debian wants of files and no install() rule can say. Pages and the
# changelog are compressed without a name or a time, so that the same tree gives the same package.
set(stage ${CPACK_TEMPORARY_INSTALL_DIRECTORY})
file(GLOB_RECURSE places LIST_DIRECTORIES true ${stage}/*)
list(FILTER places INCLUDE REGEX "/usr/share/man$")
foreach(place IN LISTS places)
  file(GLOB pages ${place}/man1/*.1)
  foreach(page IN LISTS pages)
    execute_process(COMMAND gzip -9nf ${page} COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
  # Debian's zsh looks for what packages bring elsewhere than for the administrator's own
  file(MAKE_DIRECTORY ${place}/../zsh/vendor-completions)
  file(RENAME ${place}/../zsh/site-functions/_faultline ${place}/../zsh/vendor-completions/_faultline)
  file(REMOVE_RECURSE ${place}/../zsh/site-functions)
  set(doc ${place}/../doc/faultline)
  file(WRITE ${doc}/changelog.Debian
"faultline (${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; urgency=medium

  * What changed for a user is in NEWS.md.

 -- ${CPACK_PACKAGE_CONTACT}  Sun, 22 Nov 2026 00:00:00 +0000
")
  execute_process(COMMAND gzip -9nf ${doc}/changelog.Debian ${doc}/NEWS.md COMMAND_ERROR_IS_FATAL ANY)
endforeach()
