/*
 * timer - what is to happen later: a binary heap of deadlines.
 *
 * Deadlines live in the arena (ctx_slot.deadline_ms); the heap only says when
 * to look; those of pg_entry_timer() likewise. A deadline that is stopped or
 * moved later leaves its item in place, which is put back when it comes up:
 * setting a timer again and again costs nothing. Only one item counts
 * (ctx_slot.armed_ms); a deadline that is moved nearer makes a new one, and the
 * old one is nothing but a look in vain.
 */
#ifndef TIMER_H
#define TIMER_H

#include <stddef.h>
#include <stdint.h>

struct pg_entry;
struct pg_session;

/* `at` of an item that is not an entry of the session's chain:
   session_timeout(); session_expire(), slot is the listener's id; tick(), slot
   is the entry's id; pg_later(), block is the heap block; a paused listener,
   whose id is slot, may try again. */
#define TIMER_SESSION  0xfffe
#define TIMER_LISTENER 0xfffd
#define TIMER_ENTRY    0xfffc
#define TIMER_LATER    0xfffb
#define TIMER_ACCEPT   0xfffa

struct timer_item {
    uint64_t due_ms;
    uint64_t number; /* the session's; 0: not about a session */
    uint32_t slot;
    uint32_t order; /* equal deadlines come in the order they were set */
    uint32_t block;
    uint16_t at;
};

#define TIMERS_MOST (1u << 24)

struct timers {
    struct timer_item *items; /* address space for TIMERS_MOST */
    size_t count;
    uint32_t next_order;
    uint64_t armed_ms; /* what io->arm was told last */
};

/* -ENOMEM (TIMERS_MOST are set already) or 0. */
int timer_add(uint64_t due_ms, uint32_t slot, uint64_t number, uint16_t at,
              uint32_t block);
/* The deadline of a session's entry has been set: there is an item in time for
   it. Errors as above. */
int timer_set(struct pg_session *session, unsigned at);
/* Likewise for pg_entry_timer(). */
int timer_set_entry(struct pg_entry *entry);
/* Runs what is due. */
void timer_run(void);
/* Tells the outside when to come back, if that has changed. */
void timer_arm(void);

#endif
