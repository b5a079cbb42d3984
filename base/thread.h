/* The name that a thread goes by in ps, top, perf and a debugger.  Any thread, about itself. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>

/* At most 15 octets; what is longer changes nothing. */
static inline void thread_name(const char *name)
{
    (void)pthread_setname_np(pthread_self(), name);
}

#endif
