/* SPDX-License-Identifier: MIT
 * banned: functions that this program does not use, as compile errors. Included last
 * in every .c file, after the system's headers.
 * Strings: unbounded copies. Time: sleeps and the wall clock's condition wait (all
 * waiting is in base/wake). Children: base/proc alone, by posix_spawn. */
#ifndef MMLAG_BANNED_H
#define MMLAG_BANNED_H

#undef sprintf /* macros of a fortified libc under clang */
#undef vsprintf
#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok
#pragma GCC poison atoi atol atoll scanf sscanf
#pragma GCC poison sleep usleep nanosleep pthread_cond_timedwait pthread_cond_wait
#pragma GCC poison fork vfork system popen rand srand
#pragma GCC poison tmpnam mktemp gethostbyname localtime gmtime ctime asctime strerror

#endif
