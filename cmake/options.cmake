# SPDX-License-Identifier: MIT
# Warnings, hardening and sanitizers. Warnings are an interface target, so that third-party source is
# compiled without them; everything that changes the code of a whole program is set for all targets.

add_library(covara_options INTERFACE)
target_compile_options(covara_options INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
  -Wvla -Wundef -Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -fno-common -fvisibility=hidden)
# Both compilers check literal formats; clang's further warning about helpers that take a va_list is noise.
target_compile_options(covara_options INTERFACE $<$<C_COMPILER_ID:Clang>:-Wno-format-nonliteral>)

# -O2 instead of CMake's -O3: half the code for the same requests per second.
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")

if(COVARA_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
  add_link_options(-fsanitize=address,undefined)
elseif(COVARA_TSAN)
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer -g)
  add_link_options(-fsanitize=thread)
elseif(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT CMAKE_SYSTEM_NAME STREQUAL "WASI")
  add_compile_options(-fstack-protector-strong -D_FORTIFY_SOURCE=2 -ffunction-sections -fdata-sections)
  add_link_options(-Wl,--gc-sections -Wl,--as-needed -Wl,-z,relro -Wl,-z,now)
  include(CheckIPOSupported)
  check_ipo_supported(RESULT COVARA_LTO LANGUAGES C OUTPUT COVARA_LTO_REASON)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ${COVARA_LTO})
endif()
# One set of objects serves the executables and both libraries. Independent of its position costs nothing:
# distributions build executables so anyway, hidden symbols need no table, and the shared library's own
# calls stay its own.
if(COVARA_INSTALL)
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
  add_compile_options(-fno-semantic-interposition)
endif()
if(COVARA_SANITIZE OR COVARA_TSAN)
  # gcc's manual: with -fsanitize the warning sees paths that the sanitizer added. Release builds keep it.
  target_compile_options(covara_options INTERFACE $<$<C_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
endif()
if(COVARA_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
