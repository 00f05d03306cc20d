/* The lock on claims and groups, which outlives a worker that dies with it. */

#include <errno.h>

#include "workers/commons_layout.h"

int commons_lock_init(struct commons *commons)
{
    pthread_mutexattr_t attributes;
    int error = pthread_mutexattr_init(&attributes);

    if (error)
        return error;
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    error = pthread_mutex_init(&commons->header->lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
    return error;
}

void commons_lock(struct commons *commons)
{
    if (pthread_mutex_lock(&commons->header->lock) != EOWNERDEAD)
        return;
    claim_rebuild(commons);
    member_rebuild(commons);
    pthread_mutex_consistent(&commons->header->lock);
}

void commons_unlock(struct commons *commons)
{
    pthread_mutex_unlock(&commons->header->lock);
}
