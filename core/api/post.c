/* Work that other threads leave for the worker. */

#include "api/post.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include <playground/handler.h>

struct posted {
    struct posted *next;
    struct pg_entry *entry;
    void (*fn)(struct pg_entry *entry, void *data);
    void *data;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct posted *first, **last = &first;
static void (*wake_worker)(void);

void post_start(void (*wake)(void))
{
    pthread_mutex_lock(&lock);
    wake_worker = wake;
    pthread_mutex_unlock(&lock);
}

static struct posted *post_take_all(void)
{
    struct posted *list;

    pthread_mutex_lock(&lock);
    list = first;
    first = NULL;
    last = &first;
    pthread_mutex_unlock(&lock);
    return list;
}

void post_stop(void)
{
    struct posted *list;

    post_start(NULL);
    for (list = post_take_all(); list;) {
        struct posted *posted = list;

        list = posted->next;
        free(posted);
    }
}

void post_run(void)
{
    struct posted *list = post_take_all();

    while (list) {
        struct posted *posted = list;

        list = posted->next;
        posted->fn(posted->entry, posted->data);
        free(posted);
    }
}

int pg_post(struct pg_entry *entry,
            void (*fn)(struct pg_entry *entry, void *data), void *data)
{
    struct posted *posted = malloc(sizeof(*posted));
    int error = 0;

    if (!posted)
        return -ENOMEM;
    *posted = (struct posted){NULL, entry, fn, data};
    pthread_mutex_lock(&lock);
    if (wake_worker) {
        *last = posted;
        last = &posted->next;
        wake_worker();
    } else {
        error = -ECANCELED;
    }
    pthread_mutex_unlock(&lock);
    if (error)
        free(posted);
    return error;
}
