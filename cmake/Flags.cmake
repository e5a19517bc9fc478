# fl_flags: warnings and sanitizers, attached to our targets only and never installed.
add_library(fl_flags INTERFACE)
target_compile_definitions(fl_flags INTERFACE _POSIX_C_SOURCE=200809L)
target_compile_options(fl_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
  -Wwrite-strings -Wcast-qual -Wpointer-arith -Wundef -Wvla -Wimplicit-fallthrough -Wformat=2)
if(FL_WERROR)
  target_compile_options(fl_flags INTERFACE -Werror)
endif()
if(FL_SANITIZE)
  target_compile_options(fl_flags INTERFACE -fsanitize=${FL_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(fl_flags INTERFACE -fsanitize=${FL_SANITIZE})
endif()
if(FL_COVERAGE)
  target_compile_options(fl_flags INTERFACE --coverage)
  target_link_options(fl_flags INTERFACE --coverage)
endif()
if(FL_FUZZ)
  target_compile_options(fl_flags INTERFACE -fsanitize=fuzzer-no-link) # without this the fuzzer runs blind
endif()
