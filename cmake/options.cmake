# SPDX-License-Identifier: MIT
# Warnings, hardening and sanitizers, as one interface target.
add_library(covara_options INTERFACE)
target_compile_options(covara_options INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
  -Wvla -Wundef -Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -fno-common -fvisibility=hidden)

if(COVARA_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
  add_link_options(-fsanitize=address,undefined)
elseif(COVARA_TSAN)
  add_compile_options(-fsanitize=thread -g)
  add_link_options(-fsanitize=thread)
elseif(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT CMAKE_SYSTEM_NAME STREQUAL "WASI")
  add_compile_options(-fstack-protector-strong -D_FORTIFY_SOURCE=2)
endif()
if(COVARA_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
