/* IS_SANITIZED: 1 where a sanitizer makes all of a test slow. What is reduced for it is whole elsewhere. */
#ifndef SWIM_TESTS_SANITIZED_H
#define SWIM_TESTS_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

#endif
