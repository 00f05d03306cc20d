/*
 * output_parts - what the files behind output.h share.
 *
 *   output.c         for the others: lines in, closing, the end
 *   output_file.c    one file: opening, opening again, giving to write(2)
 *   output_writer.c  the threads
 *
 * The thread that writes all files is the leader. While it is in write(2) and
 * other lines wait, a second thread watches it. A write that does not come back
 * makes the watcher the new leader; the old one keeps that file for good.
 */
#ifndef OUTPUT_PARTS_H
#define OUTPUT_PARTS_H

#include <pthread.h>
#include <time.h>

#include "base/backlog.h"

#define OUTPUT_RETRY_MS 500 /* a disk that was full */

struct pg_file {
    struct pg_file *next;
    const char *name;
    const void *owner;
    char *path; /* to open it again; NULL: stdout, stderr */
    int fd;     /* -1: it could not be opened again */
    bool is_regular;
    bool may_block; /* others have the descriptor, so it is as they want it */

    /* How it is written. */
    uint64_t turn;     /* who was written longest ago is next */
    uint64_t retry_ms; /* not before then; 0: at once */
    bool is_full;      /* poll(2) says when it takes more */
    bool is_mid_line;  /* the last byte written was no line end */
    bool is_written;   /* a thread is at it, without the lock */
    bool has_own;      /* a thread of its own */
    bool is_closed;    /* whoever is at it, or its own thread, frees it */
    bool is_dead;      /* nobody will ever read it */

    /* Lines that are lost, and their announcements. */
    bool is_json;        /* the lines are objects, so are these */
    uint64_t lost;       /* lines not announced yet */
    uint64_t lost_all;   /* lines, announced or not */
    uint64_t notices;    /* announcements in the ring, */
    uint64_t noticed;    /* the lines they tell of, */
    uint64_t notice_end; /* and where the last one ends */
    struct backlog backlog;
};

/* All but the bytes of a file that is being written is under the lock. */
extern struct outputs {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a ring is empty, has room, or its file closed */
    struct pg_file *files;  /* all but those closed */
    uint64_t unseen;        /* lines that closed files have lost */
    bool is_patient;        /* see output_be_patient() */

    int wake_fd; /* an eventfd that ends the leader's poll(2) */
    bool has_leader;
    bool is_asleep;          /* the leader is in poll(2) */
    uint64_t term;           /* of the leader that is */
    uint64_t writes;         /* begun by leaders */
    struct pg_file *written; /* what the leader writes now, or NULL */

    pthread_cond_t watch; /* for the watcher */
    bool has_watcher, is_parked;
} outputs;

/* ---- output.c --------------------------------------------------------- */

struct timespec output_in_ms(unsigned ms);
uint64_t output_now_ms(void);
/* Announces what was lost, if something was and there is room. */
void output_announce(struct pg_file *file);

/* ---- output_file.c ---------------------------------------------------- */

/* Puts a file into the list; `name` is for people. */
void output_file_add(struct pg_file *file, int fd, const char *name);
void output_file_remove(struct pg_file *file);
void output_file_free(struct pg_file *file);
/* Lines nobody has seen or been told of. */
uint64_t output_file_missing(const struct pg_file *file);
/* Writes the first lines, without the lock, opening the file anew where that
   must be. Returns how many bytes it took, or -errno. */
ssize_t output_file_write(struct pg_file *file, const struct iovec *parts,
                          int count);
/* Notes what came of it. */
void output_file_settle(struct pg_file *file, ssize_t result);

/* ---- output_writer.c -------------------------------------------------- */

/* Tells the threads that this file has something to write. */
void output_writer_wake(struct pg_file *file);
/* Forgets the threads, which stay behind in the parent of a fork(2). */
void output_writer_forget(void);

#endif
