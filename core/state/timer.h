/*
 * timer - what is to happen later: a binary heap of deadlines. It knows when;
 * due.c knows what.
 *
 * Deadlines live in the arena (ctx_slot.deadline_ms) or with an entry
 * (pg_entry.tick_ms); the heap only says when to look. A deadline that is
 * stopped or moved later leaves its item in place, which is put back when it
 * comes up: setting a timer again and again costs nothing. Only one item counts
 * (armed_ms); a deadline that is moved nearer makes a new one, and the old one
 * is nothing but a look in vain.
 */
#ifndef TIMER_H
#define TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pg_entry;
struct pg_session;

/* The subject of an item; anything below is an entry's place in the chain of
   the session in `slot`. */
#define TIMER_SESSION  0xfffe /* the end of a session lingers in `slot` */
#define TIMER_LISTENER 0xfffd /* peers of listener `slot` may be silent */
#define TIMER_ENTRY    0xfffc /* tick() of entry `slot` */
#define TIMER_LATER    0xfffb /* pg_later(), `block` in the heap */
#define TIMER_ACCEPT   0xfffa /* listener `slot` was paused: it tries again */
#define TIMER_LOOK     0xfff9 /* streams are looked at */
#define TIMER_MAIL     0xfff8 /* the ring to worker `slot` was full */

struct timer_item {
    uint64_t due_ms;
    uint64_t number; /* the session's; 0: not about a session */
    uint32_t slot;
    uint32_t order; /* equal deadlines come in the order they were set */
    uint32_t block;
    uint16_t about;
};

#define TIMERS_MOST (1u << 24)

struct timers {
    struct timer_item *items; /* address space for TIMERS_MOST */
    size_t count;
    uint32_t next_order;
    uint64_t armed_ms; /* what io->arm was told last; UINT64_MAX: nothing */
};

/* -ENOMEM (TIMERS_MOST are set already) or 0. */
int timer_add(uint64_t due_ms, uint32_t slot, uint64_t number, uint16_t about,
              uint32_t block);
/* The deadline of a session's entry has been set: there is an item in time for
   it. Errors as above. */
int timer_set(struct pg_session *session, unsigned place);
/* The same for pg_entry_timer(). */
int timer_set_entry(struct pg_entry *entry);
/* Takes the first item if it is due by now. */
bool timer_take(struct timer_item *item);
/* Tells the outside when to come back, if that has changed. */
void timer_arm(void);

#endif
