/* SPDX-License-Identifier: MIT */
/* covara/compiler.h - the only place for compiler-specific attributes. */
#ifndef COVARA_COMPILER_H
#define COVARA_COMPILER_H

#if defined(__GNUC__) || defined(__clang__)
#define COV_CHECK __attribute__((warn_unused_result))
#define COV_PRINTF(format_index, first_arg) __attribute__((format(printf, format_index, first_arg)))
#define COV_LIKELY(x) __builtin_expect(!!(x), 1)
#define COV_UNLIKELY(x) __builtin_expect(!!(x), 0)
#else
#define COV_CHECK
#define COV_PRINTF(format_index, first_arg)
#define COV_LIKELY(x) (x)
#define COV_UNLIKELY(x) (x)
#endif

/* Public declarations: C linkage, and visible in the shared library, which hides everything else. */
#if defined(__GNUC__) || defined(__clang__)
#define COV_EXPORT_BEGIN _Pragma("GCC visibility push(default)")
#define COV_EXPORT_END _Pragma("GCC visibility pop")
#else
#define COV_EXPORT_BEGIN
#define COV_EXPORT_END
#endif
#ifdef __cplusplus
#define COV_BEGIN_C             \
    COV_EXPORT_BEGIN extern "C" \
    {
#define COV_END_C \
    }             \
    COV_EXPORT_END
#else
#define COV_BEGIN_C COV_EXPORT_BEGIN
#define COV_END_C COV_EXPORT_END
#endif

/* 1 in builds with AddressSanitizer, where every allocation should be seen by itself. */
#if defined(__SANITIZE_ADDRESS__)
#define COV_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define COV_ADDRESS_SANITIZER 1
#endif
#endif
#ifndef COV_ADDRESS_SANITIZER
#define COV_ADDRESS_SANITIZER 0
#endif

#define COV_COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
