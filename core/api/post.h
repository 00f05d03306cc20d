/*
 * post - pg_post(): work that other threads leave for the worker.
 */
#ifndef POST_H
#define POST_H

/* `wake` is called from other threads: post_run() is to be called soon. */
void post_start(void (*wake)(void));
/* From here on pg_post() fails; what was not run is forgotten. */
void post_stop(void);
/* Runs what has been left, in the order it came. */
void post_run(void);

#endif
