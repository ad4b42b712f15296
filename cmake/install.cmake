# SPDX-License-Identifier: MIT
# The libraries that applications outside this tree build against, and what "make install" installs.
#
# All objects become one before they go into the archive: link-time optimisation is done by then, so that any
# compiler can link the result, and every symbol that is not public is local to it, so that an application may
# have its own yyjson or llhttp.

set(CMAKE_INSTALL_LIBDIR lib CACHE PATH "Libraries, below the prefix")
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(parts covara_core covara_sqlite covara_native covara_cli yyjson llhttp)
foreach(part ${parts})
  list(APPEND COVARA_OBJECTS $<TARGET_OBJECTS:${part}>)
endforeach()
set(needs m Threads::Threads PkgConfig::SQLITE3 PkgConfig::LIBUV PkgConfig::PCRE2 PkgConfig::OPENSSL
  PkgConfig::CURL)

set(one ${CMAKE_BINARY_DIR}/covara.o)
separate_arguments(flags NATIVE_COMMAND "${CMAKE_C_FLAGS} ${CMAKE_C_FLAGS_RELEASE}")
if(COVARA_LTO AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
  list(APPEND flags -flto=auto -flinker-output=nolto-rel -ffunction-sections -fdata-sections)
endif()
set(hide)
if(CMAKE_OBJCOPY)
  set(hide COMMAND ${CMAKE_OBJCOPY} --localize-hidden ${one})
endif()
add_custom_command(OUTPUT ${one}
  COMMAND ${CMAKE_C_COMPILER} ${flags} -fPIC -r -nostdlib -o ${one} ${COVARA_OBJECTS}
  ${hide}
  DEPENDS ${parts} ${COVARA_OBJECTS} COMMAND_EXPAND_LISTS VERBATIM COMMENT "Joining covara.o")

add_library(covara_static STATIC ${one})
set_source_files_properties(${one} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
set_target_properties(covara_static PROPERTIES EXPORT_NAME covara INTERPROCEDURAL_OPTIMIZATION OFF)
target_link_libraries(covara_static PRIVATE ${needs})

add_library(covara_shared SHARED ${COVARA_OBJECTS})
set_target_properties(covara_shared PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
target_link_libraries(covara_shared PRIVATE ${needs})
target_link_options(covara_shared PRIVATE -Wl,--no-undefined)

foreach(library covara_static covara_shared)
  set_target_properties(${library} PROPERTIES OUTPUT_NAME covara LINKER_LANGUAGE C)
  target_include_directories(${library} INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endforeach()

# The prefix follows from where the file is, so that a tree may be installed anywhere and moved.
file(RELATIVE_PATH COVARA_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" COVARA_PC_PREFIX "${COVARA_PC_PREFIX}")
configure_file(cmake/covara.pc.in covara.pc @ONLY)
configure_file(cmake/covara-static.pc.in covara-static.pc @ONLY)
configure_package_config_file(cmake/covaraConfig.cmake.in covaraConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/covara NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may break what worked.
write_basic_package_version_file(covaraConfigVersion.cmake COMPATIBILITY SameMinorVersion)

install(TARGETS covara RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS covara_static covara_shared EXPORT covaraTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT covaraTargets NAMESPACE covara:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/covara)
install(FILES ${CMAKE_BINARY_DIR}/covaraConfig.cmake ${CMAKE_BINARY_DIR}/covaraConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/covara)
install(FILES ${CMAKE_BINARY_DIR}/covara.pc ${CMAKE_BINARY_DIR}/covara-static.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(DIRECTORY include/covara DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(FILES share/covara.schema.json DESTINATION ${CMAKE_INSTALL_DATADIR}/covara)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md")
