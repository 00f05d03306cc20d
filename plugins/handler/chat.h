/*
 * chat - what the files of the handler `chat-broadcast` share.
 *
 *   chat-broadcast.c   the handler: options, what is said, who leaves
 *   chat_member.c      who comes, and by which name
 *   chat_command.c     /who, /nick and /quit
 *   chat_rooms.c       who hears whom; /join and /rooms
 *   chat_telnet.c      what a Telnet client says to its server
 */
#ifndef CHAT_H
#define CHAT_H

#include <playground/handler.h>

#include "chat_telnet.h"

#define LINE_BYTES 1024
#define NAME_BYTES 32 /* at most PG_KEY_BYTES */

struct chat_options {
    bool names, rooms;
    const char *slow;
    int warn_idle_s;
};

struct chat_private {
    unsigned guests;  /* the number of the last one */
    unsigned members; /* on this worker; when all have left, guest1 is next */
    bool names, rooms;
    enum pg_slow slow;
};

struct chat_state {
    char name[NAME_BYTES + 1];   /* claimed by members alone */
    char wanted[NAME_BYTES + 1]; /* by one who is no member yet */
    char room[PG_KEY_BYTES + 1]; /* its group, where there are rooms */
    bool is_member, is_told, has_quit;
    struct chat_telnet telnet;
};

/* A line of names in the making. */
struct chat_list {
    struct pg_ctx *ctx;
    const char *first; /* stands before all names */
    const char *self;  /* the key to leave out */
    char text[LINE_BYTES];
    size_t len, count;
};

/* ---- saying something --------------------------------------------------- */

/* To this member alone. */
int chat_say(struct pg_ctx *ctx, const char *format, ...) PG_PRINTF(2, 3);
/* To all who hear this member. */
void chat_notice(struct pg_ctx *ctx, const char *format, ...) PG_PRINTF(2, 3);
/* To one who is no member yet, once: what a message of one byte has earned is
   hardly more than this. */
void chat_tell(struct pg_ctx *ctx, const char *before, const char *name,
               const char *after);
void chat_tell_to_go_on(struct pg_ctx *ctx);

/* ---- members ------------------------------------------------------------ */

enum pg_verdict chat_join(struct pg_ctx *ctx);
/* Writes down who else hears this member, some of them by name, up to "and 3
   more". */
void chat_list_others(struct pg_ctx *ctx, struct chat_list *list);
/* Takes the next guest's name that nobody has, without claiming it. */
void chat_choose_guest(struct pg_ctx *ctx);
/* When a member is warned, in ms: some time before it may be forgotten. */
uint64_t chat_warn_ms(struct pg_ctx *ctx);
/* A connection tells when its peer is gone; a transport of records can only
   forget who was silent for too long: sets the timer that warns of it. */
void chat_watch_idle(struct pg_ctx *ctx);

/* ---- commands ----------------------------------------------------------- */

enum pg_verdict chat_command(struct pg_ctx *ctx, struct pg_bytes line);
/* Adds a name to a list that may be longer than a line; the full ones are
   sent. */
void chat_list_add(struct chat_list *list, const char *name);
/* NULL and the key of a member's or a room's name, or why it cannot be one. */
const char *chat_name_problem(struct pg_bytes name, char *key);

/* ---- rooms -------------------------------------------------------------- */

/* Sends to the others in the room; to all without rooms. */
void chat_tell_others(struct pg_ctx *ctx, struct pg_bytes line);
/* Calls fn for each member in the room; for all without rooms. */
void chat_each_member(struct pg_ctx *ctx,
                      void (*fn)(const char *key, const char *shown, void *arg),
                      void *arg);
/* A new member goes to the first room, if there are any. 0 or -ENOSPC. */
int chat_rooms_begin(struct pg_ctx *ctx);
/* /join and /rooms. False: it is neither. */
bool chat_rooms_command(struct pg_ctx *ctx, struct pg_bytes word,
                        struct pg_bytes rest);

#endif
