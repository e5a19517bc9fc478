# Tests of the whole: the built program, the installed tree, the commands that the documents show.

# An instrumented library does not link into a plain program.
if(TARGET faultline_cli AND NOT FL_SANITIZE AND NOT FL_COVERAGE AND NOT FL_FUZZ)
  foreach(kind static shared)
    add_test(NAME integration/install_${kind} COMMAND ${CMAKE_CURRENT_LIST_DIR}/install/test_install.sh
      $<IF:$<STREQUAL:${kind},static>,${PROJECT_BINARY_DIR},${PROJECT_BINARY_DIR}/tests/shared>
      ${PROJECT_BINARY_DIR}/tests/install_${kind} ${PROJECT_VERSION} ${kind})
    set_tests_properties(integration/install_${kind} PROPERTIES LABELS integration TIMEOUT 600)
  endforeach()
endif()

if(TARGET faultline_cli)
  add_test(NAME integration/cli COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_cli.py
    $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration/cli PROPERTIES LABELS integration TIMEOUT 600)
endif()

if(TARGET faultline_cli)
  add_test(NAME integration/postmortem COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_postmortem.py
    $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration/postmortem PROPERTIES LABELS integration TIMEOUT 300)
endif()

if(TARGET faultline_cli)
  add_test(NAME integration/memory COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_memory.py
    $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration/memory PROPERTIES LABELS integration TIMEOUT 600 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endif()

if(TARGET faultline_cli)
  add_test(NAME integration/graph COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_graph.py
    $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration/graph PROPERTIES LABELS integration TIMEOUT 600 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endif()

if(TARGET faultline_cli)
  # A build with a sanitizer would depend on its library.
  if(NOT FL_SANITIZE AND NOT FL_COVERAGE AND PROJECT_IS_TOP_LEVEL)
    add_test(NAME integration/package COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_package.py
      ${PROJECT_BINARY_DIR} ${CMAKE_CPACK_COMMAND})
    set_tests_properties(integration/package PROPERTIES LABELS integration TIMEOUT 1800 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
  endif()
  add_test(NAME integration/config COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_config.py
    $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration/config PROPERTIES LABELS integration TIMEOUT 120 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
  add_test(NAME integration/recommend COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_recommend.py
    $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration/recommend PROPERTIES LABELS integration TIMEOUT 600 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
  add_test(NAME integration/learn COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_learn.py
    $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration/learn PROPERTIES LABELS integration TIMEOUT 600 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endif()

# A sanitizer's own memory would count.
if(TARGET faultline_cli AND NOT FL_SANITIZE AND NOT FL_COVERAGE AND NOT FL_FUZZ)
  add_test(NAME integration/limits COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_limits.py $<TARGET_FILE:faultline_cli>)
  set_tests_properties(integration/limits PROPERTIES LABELS "integration;slow" TIMEOUT 600)
endif()

if(TARGET faultline_cli)
  add_test(NAME integration/same_answer COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_same_answer.py
    $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration/same_answer PROPERTIES LABELS integration TIMEOUT 600)
endif()

if(TARGET faultline_cli)
  add_test(NAME integration/serve COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_serve.py $<TARGET_FILE:faultline_cli>)
  add_test(NAME integration/api COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_api.py $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration/api PROPERTIES LABELS "integration;serve" TIMEOUT 600 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
  add_test(NAME integration/api_postgresql COMMAND ${CMAKE_CURRENT_LIST_DIR}/with_postgres ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_api.py
    $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR} Server)
  set_tests_properties(integration/api_postgresql PROPERTIES LABELS "integration;serve;postgresql" TIMEOUT 600 SKIP_RETURN_CODE 77
    ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
  add_test(NAME integration/incidents COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_incidents.py $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration/incidents PROPERTIES LABELS "integration;serve" TIMEOUT 600 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
  add_test(NAME integration/watch COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_watch.py $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration/watch PROPERTIES LABELS "integration;serve" TIMEOUT 600 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
  set_tests_properties(integration/serve PROPERTIES LABELS "integration;serve" TIMEOUT 600 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
  add_test(NAME integration/live_shop COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_live_shop.py $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR})
  add_test(NAME integration/takeover COMMAND ${CMAKE_CURRENT_LIST_DIR}/with_postgres ${Python3_EXECUTABLE}
    ${CMAKE_CURRENT_LIST_DIR}/test_takeover.py $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration/live_shop integration/takeover PROPERTIES LABELS "integration;serve" TIMEOUT 600 SKIP_RETURN_CODE 77
    ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
  add_test(NAME integration/receive COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_receive.py $<TARGET_FILE:faultline_cli>)
  set_tests_properties(integration/receive PROPERTIES LABELS "integration;serve" TIMEOUT 600 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
  add_test(NAME integration/full_disk COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_full_disk.py $<TARGET_FILE:faultline_cli>)
  set_tests_properties(integration/full_disk PROPERTIES LABELS "integration;serve" TIMEOUT 600 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
  add_test(NAME integration/clients COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_clients.py $<TARGET_FILE:faultline_cli> ${PROJECT_BINARY_DIR}/clients)
  add_test(NAME integration/mcp COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_mcp.py $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR}
    ${PROJECT_BINARY_DIR}/clients)
  add_test(NAME integration/components COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_components.py $<TARGET_FILE:faultline_cli>)
  add_test(NAME integration/web COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_web.py $<TARGET_FILE:faultline_cli> ${PROJECT_BINARY_DIR}/web)
  set_tests_properties(integration/web PROPERTIES LABELS "integration;web" TIMEOUT 1800 SKIP_RETURN_CODE 77 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
  add_test(NAME integration/web_postgresql COMMAND ${CMAKE_CURRENT_LIST_DIR}/with_postgres ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_web_away.py
    $<TARGET_FILE:faultline_cli> ${PROJECT_BINARY_DIR}/web)
  set_tests_properties(integration/web_postgresql PROPERTIES LABELS "integration;web;postgresql" TIMEOUT 1800 SKIP_RETURN_CODE 77
    ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
  set_tests_properties(integration/web integration/web_postgresql PROPERTIES RESOURCE_LOCK web)
  set_tests_properties(integration/clients integration/mcp PROPERTIES RESOURCE_LOCK clients)
  set_tests_properties(integration/clients integration/components integration/mcp PROPERTIES LABELS "integration;serve" TIMEOUT 900 SKIP_RETURN_CODE 77
    ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endif()

if(TARGET faultline_cli)
  add_test(NAME docs/commands COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/lint/check_docs.py
    ${PROJECT_SOURCE_DIR} --run $<TARGET_FILE:faultline_cli> --man ${PROJECT_BINARY_DIR}/man)
  set_tests_properties(docs/commands PROPERTIES LABELS docs TIMEOUT 600 RUN_SERIAL TRUE)
endif()

# Pages of the terminal, in two widths, with colours and without.
if(TARGET faultline_cli)
  add_test(NAME integration/pages COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_pages.py
    $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration/pages PROPERTIES LABELS integration TIMEOUT 900 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endif()

# The moving picture of the README shows what the program prints now.
if(TARGET faultline_cli)
  add_test(NAME integration/record COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_record.py
    $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration/record PROPERTIES LABELS integration TIMEOUT 900 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endif()

# The recordings under examples/ are input of the demo and of other tests: they must be what they say.
add_test(NAME integration/examples COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_examples.py ${PROJECT_SOURCE_DIR})
set_tests_properties(integration/examples PROPERTIES LABELS integration TIMEOUT 120)

# The report on the ranking counts as drill does.
if(TARGET faultline_cli)
  add_test(NAME integration/rank_report COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_rank_report.py
    $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration/rank_report PROPERTIES LABELS integration TIMEOUT 600 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endif()

# Made-up incidents whose truth is known, through the whole program.
if(TARGET faultline_cli)
  add_test(NAME integration/scenarios COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_scenarios.py
    $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration/scenarios PROPERTIES LABELS integration TIMEOUT 600 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endif()

if(TARGET faultline_cli)
  add_test(NAME integration/crash COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_crash.py
    $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration/crash PROPERTIES LABELS integration TIMEOUT 600 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endif()

if(TARGET faultline_cli)
  add_test(NAME integration/gc COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_gc.py
    $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration/gc PROPERTIES LABELS integration TIMEOUT 600 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endif()

if(TARGET faultline_cli)
  add_test(NAME integration/leak COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_leak.py
    $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration/leak PROPERTIES LABELS integration TIMEOUT 600 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endif()

# Labelled recordings of Go programs, with floors under the figures.
if(TARGET faultline_cli)
  add_test(NAME integration/leak_figures COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_leak_figures.py
    $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration/leak_figures PROPERTIES LABELS integration TIMEOUT 900 SKIP_RETURN_CODE 77
    ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endif()

# Profiles by hand, against go tool pprof.
if(TARGET faultline_cli)
  add_test(NAME integration/profile COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_profile.py
    $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration/profile PROPERTIES LABELS integration TIMEOUT 600)
endif()

# Heap dumps, against what the virtual machine said of itself.
if(TARGET faultline_cli)
  add_test(NAME integration/heap COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_heap.py
    $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration/heap PROPERTIES LABELS integration TIMEOUT 900 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
  add_test(NAME integration/heap_programs COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_heap_programs.py
    $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration/heap_programs PROPERTIES LABELS integration TIMEOUT 1800 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endif()

# Recordings of a JVM, against the JDK's own reader.
if(TARGET faultline_cli)
  add_test(NAME integration/jfr COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_jfr.py
    $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration/jfr PROPERTIES LABELS integration TIMEOUT 600 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endif()

# Execution traces of Go programs.
if(TARGET faultline_cli)
  add_test(NAME integration/trace COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_trace.py
    $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration/trace PROPERTIES LABELS integration TIMEOUT 600 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endif()

# Names for what a profile leaves open.
if(TARGET faultline_cli)
  add_test(NAME integration/names COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_names.py
    $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration/names PROPERTIES LABELS integration TIMEOUT 600 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endif()

# Small recordings of known programs: verdict and function.
if(TARGET faultline_cli)
  add_test(NAME integration/leak_corpus COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_leak_corpus.py
    $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration/leak_corpus PROPERTIES LABELS integration TIMEOUT 600 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endif()

# Writers that are killed, a server that is restarted, many at once, on both engines.
add_executable(graph_writer ${CMAKE_CURRENT_LIST_DIR}/graph_writer.c)
target_link_libraries(graph_writer PRIVATE fl_test_support)
if(TARGET faultline_cli)
  set(durability ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_durability.py $<TARGET_FILE:graph_writer> $<TARGET_FILE:faultline_cli>)
  add_test(NAME integration/durability COMMAND ${durability})
  add_test(NAME integration/durability_postgresql COMMAND ${CMAKE_CURRENT_LIST_DIR}/with_postgres ${durability})
  set_tests_properties(integration/durability integration/durability_postgresql PROPERTIES LABELS integration TIMEOUT 900
    ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
  set_tests_properties(integration/durability_postgresql PROPERTIES SKIP_RETURN_CODE 77)
endif()

# Stores as they go wrong, and copies of them, on both engines.
if(TARGET faultline_cli)
  set(stores ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_stores.py $<TARGET_FILE:graph_writer> $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR})
  add_test(NAME integration/stores COMMAND ${stores})
  add_test(NAME integration/stores_postgresql COMMAND ${CMAKE_CURRENT_LIST_DIR}/with_postgres ${stores})
  set_tests_properties(integration/stores integration/stores_postgresql PROPERTIES LABELS integration TIMEOUT 900
    ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
  set_tests_properties(integration/stores_postgresql PROPERTIES SKIP_RETURN_CODE 77)
endif()

# The page on running a shared store: its roles, its backup, its retention.
if(TARGET faultline_cli)
  add_test(NAME integration/operations COMMAND ${CMAKE_CURRENT_LIST_DIR}/with_postgres ${Python3_EXECUTABLE}
    ${CMAKE_CURRENT_LIST_DIR}/test_operations.py $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration/operations PROPERTIES LABELS "integration;postgresql" TIMEOUT 300 SKIP_RETURN_CODE 77
    ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endif()

if(TARGET faultline_cli)
  add_test(NAME integration/sources COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_sources.py
    $<TARGET_FILE:faultline_cli> ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration/sources PROPERTIES LABELS integration TIMEOUT 600 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endif()
