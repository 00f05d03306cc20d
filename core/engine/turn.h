/*
 * turn - the end of a turn.
 *
 *   something happens (bytes, a timer, a message of another worker)
 *     -> chain_recv(), chain_send()   handlers run, output is queued
 *     -> turn_end()                   closes what is to close, sends what is
 *                                     queued with one call a session
 *
 * Whoever enters the core from outside calls turn_end() last.
 */
#ifndef TURN_H
#define TURN_H

/* Ends what is to end, sends what is queued, and says when to come back. */
void turn_end(void);
/* Sends what is queued, for a read buffer that is about to be used again. */
void turn_flush(void);

#endif
