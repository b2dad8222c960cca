// HANGU_ASAN and HANGU_TSAN: 1 in builds under AddressSanitizer or ThreadSanitizer, else 0. GCC and
// clang tell it in different ways.
#pragma once

#if defined(__has_feature)
#define HANGU_HAS_FEATURE(feature) __has_feature(feature)
#else
#define HANGU_HAS_FEATURE(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || HANGU_HAS_FEATURE(address_sanitizer)
#define HANGU_ASAN 1
#else
#define HANGU_ASAN 0
#endif

#if defined(__SANITIZE_THREAD__) || HANGU_HAS_FEATURE(thread_sanitizer)
#define HANGU_TSAN 1
#else
#define HANGU_TSAN 0
#endif
