/* limit - how many descriptors this process may have. */
#ifndef LIMIT_H
#define LIMIT_H

#include <stdint.h>

/* Raises RLIMIT_NOFILE to its hard limit; returns that, or UINT64_MAX when
   the system does not say. */
uint64_t limit_raise_descriptors(void);

#endif
