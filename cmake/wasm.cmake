# SPDX-License-Identifier: MIT
# Toolchain for the core as wasm32: clang, lld and wasi-libc.
set(CMAKE_SYSTEM_NAME WASI)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
set(CMAKE_C_COMPILER clang)
set(CMAKE_C_COMPILER_TARGET wasm32-wasi)
# There is no program to link: the core is checked as an archive (scripts/check_wasm.sh).
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
# /usr is the sysroot: wasi-libc installs its headers under /usr/include/wasm32-wasi
set(CMAKE_SYSROOT /usr)
list(APPEND CMAKE_MODULE_PATH ${CMAKE_CURRENT_LIST_DIR})
