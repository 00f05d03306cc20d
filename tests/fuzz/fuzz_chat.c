/*
 * fuzz_chat: a room of TCP-like and UDP-like members who say and do anything.
 *
 * However they do it, no two of them have one name at a time in any spelling,
 * and nobody can put words into another's mouth: what a member hears while one
 * of them acts begins with that one's name, or is a notice about it or about
 * somebody who has gone meanwhile. With rooms (fuzz_rooms.c) that one is or was
 * in the same room.
 *
 * Input: acts, each a byte for what and who, most of them with a length and
 * that many bytes.
 */
#include "fuzz.h"
#include "fuzz_stream.h"

#include "state/counter.h"

#define LIMITS                                                                 \
    "{ \"frame_bytes\": 300, \"session_queue_bytes\": 4096,"                   \
    " \"max_sessions\": 64, \"queue_bytes_total\": 65536,"                     \
    " \"kept_bytes_total\": 65536 }"

#ifndef FUZZ_ROOMS
#define FUZZ_ROOMS 0
#endif
#define OPTIONS (FUZZ_ROOMS ? ", \"rooms\": true" : "")

#define MEMBERS    8
#define NAME_BYTES 32
#define NAMES      48 /* or rooms, that one act can go through */

enum act { SAY, COMMAND, JOIN, END, RESET, BLOCK, UNBLOCK, WAIT, ACTS };

struct member {
    char names[NAMES]
              [NAME_BYTES + 1]; /* in this act; the last one is its own */
    int name_count;
    char rooms[NAMES][PG_KEY_BYTES + 1]; /* likewise */
    int room_count;
    bool is_stream, is_blocked, is_gone, is_leaving;
    bool was_deaf;  /* could not hear when this act began */
    bool is_unsure; /* an answer to it may have found its queue full */
    bool is_lost;   /* likewise, so that nobody knows its room */
};

static struct harness *h;
static struct member members[MEMBERS];
static int count;

/* A socket of records is one for all of them: none hears while one is
   blocked. */
static bool is_deaf(const struct member *self)
{
    if (self->is_stream)
        return self->is_blocked;
    for (int i = 0; i < count; i++)
        if (!members[i].is_stream && members[i].is_blocked)
            return true;
    return false;
}

/* ---- names ------------------------------------------------------------ */

static bool begins(struct pg_bytes *line, const char *text)
{
    size_t len = strlen(text);

    if (line->len < len || memcmp(line->data, text, len) != 0)
        return false;
    *line = pg_bytes(line->data + len, line->len - len);
    return true;
}

static const char *name_of(const struct member *self)
{
    return self->name_count ? self->names[self->name_count - 1] : "";
}

static void take_name(struct member *self, struct pg_bytes name)
{
    char *own = self->names[self->name_count], key[PG_KEY_BYTES + 1];

    MUST(self->name_count < NAMES);
    MUST(name.len > 0 && name.len <= NAME_BYTES);
    MUST(!memchr(name.data, ' ', name.len) &&
         !memchr(name.data, ':', name.len));
    MUST(!pg_name_key(name, key));
    memcpy(own, name.data, name.len);
    own[name.len] = '\0';
    self->name_count++;
    if (!self->was_deaf) /* else it may be old */
        self->is_unsure = false;
}

static void take_room(struct member *self, struct pg_bytes room)
{
    char *own = self->rooms[self->room_count], key[PG_KEY_BYTES + 1];

    MUST(self->room_count < NAMES);
    MUST(room.len > 0 && room.len <= PG_KEY_BYTES);
    memcpy(own, room.data, room.len);
    own[room.len] = '\0';
    MUST(!pg_name_key(room, key) && !strcmp(key, own));
    self->room_count++;
    if (!self->was_deaf)
        self->is_lost = false;
}

/* Of one that could not hear nobody knows where it has gone. */
static bool is_anywhere(const struct member *one)
{
    return one->is_lost || one->was_deaf;
}

/* Were the two in one room, as far as anybody knows? */
static bool may_hear(const struct member *ear, const struct member *actor)
{
    if (!FUZZ_ROOMS || is_anywhere(ear) || is_anywhere(actor))
        return true;
    for (int a = 0; a < ear->room_count; a++)
        for (int b = 0; b < actor->room_count; b++)
            if (!strcmp(ear->rooms[a], actor->rooms[b]))
                return true;
    return false;
}

static bool is_heard(const struct member *member)
{
    return !member->is_gone && !is_deaf(member) && member->name_count &&
           !member->is_unsure;
}

/* What finds no room is refused, the answer to /nick like any other. */
static void note_drops(void)
{
    static uint64_t before[2];

    for (unsigned listener = 0; listener < 2; listener++) {
        uint64_t now = counter_value((uint16_t)(COUNTER_LISTENER | listener),
                                     "dropped: send queue full");

        for (int i = 0; i < count && now != before[listener]; i++)
            if (members[i].is_stream == (listener == 0))
                members[i].is_unsure = members[i].is_lost = true;
        before[listener] = now;
    }
}

static bool have_one_name(const struct member *a, const struct member *b)
{
    char key_a[PG_KEY_BYTES + 1], key_b[PG_KEY_BYTES + 1];

    pg_name_key(pg_text(name_of(a)), key_a);
    pg_name_key(pg_text(name_of(b)), key_b);
    return !strcmp(key_a, key_b);
}

static void check_names(void)
{
    for (int a = 0; a < count; a++)
        for (int b = 0; b < a; b++)
            MUST(!is_heard(&members[a]) || !is_heard(&members[b]) ||
                 !have_one_name(&members[a], &members[b]));
}

/* ---- what is heard ---------------------------------------------------- */

/* Up to the first of these bytes, one of which is there. */
static struct pg_bytes word_of(struct pg_bytes line, const char *ends)
{
    size_t len = 0;

    while (len < line.len && !strchr(ends, line.data[len]))
        len++;
    MUST(len < line.len);
    return pg_bytes(line.data, len);
}

/* "guest1, alone in main; ...", "guest1, in main with ...", and without rooms
   "guest1, with ...". */
static void take_greeting(struct member *self, struct pg_bytes line)
{
    struct pg_bytes name = word_of(line, ",");

    take_name(self, name);
    line = pg_bytes(line.data + name.len, line.len - name.len);
    if (FUZZ_ROOMS) {
        MUST(begins(&line, ", alone in ") || begins(&line, ", in "));
        take_room(self, word_of(line, "; "));
    }
}

/* Said to this member alone. */
static bool is_answer(struct member *self, struct pg_bytes line)
{
    static const char *const answers[] = {"here are ",
                                          "and ",
                                          "no such ",
                                          "goodbye, ",
                                          "rooms are ",
                                          "there is no room ",
                                          "you have said nothing for "};
    struct pg_bytes rest = line;

    if (begins(&rest, "you are now ")) {
        take_name(self, rest);
        return true;
    }
    if (FUZZ_ROOMS && begins(&rest, "you are in ")) {
        take_room(self, word_of(rest, ", "));
        return true;
    }
    if (begins(&rest, "you are ")) {
        take_greeting(self, rest);
        return true;
    }
    for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++)
        if (begins(&rest, answers[i]))
            return true;
    return memmem(line.data, line.len, " is taken; /who", 15) != NULL;
}

static bool is_notice(struct pg_bytes rest)
{
    return begins(&rest, " joined") || begins(&rest, " left") ||
           begins(&rest, " is now ");
}

/* Does the line speak of that member? Its words only if it acts. */
static bool is_about(struct pg_bytes line, const struct member *one, bool acts)
{
    for (int i = 0; i < one->name_count; i++) {
        struct pg_bytes rest = line;

        if (begins(&rest, one->names[i]) &&
            (is_notice(rest) || (acts && begins(&rest, ": "))))
            return true;
    }
    return false;
}

/* One that went while it could not hear may have had a name we do not know. */
static bool is_unknown_leaver(struct pg_bytes line, const struct member *one)
{
    const uint8_t *space = line.len ? memchr(line.data, ' ', line.len) : NULL;
    size_t len = space ? (size_t)(space - line.data) : 0;

    return one->is_leaving && (one->was_deaf || one->is_unsure) && space &&
           is_notice(pg_bytes(space, line.len - len));
}

static void check_line(int ear, int actor, struct pg_bytes line)
{
    for (int i = 0; i < count; i++)
        if (i != ear && (i == actor || members[i].is_leaving) &&
            may_hear(&members[ear], &members[i]) &&
            (is_about(line, &members[i], i == actor) ||
             is_unknown_leaver(line, &members[i])))
            return;
    if (is_answer(&members[ear], line) || members[actor].is_unsure)
        return;
    fprintf(stderr, "%d hears \"%.*s\" while %d acts\n", ear, (int)line.len,
            (const char *)line.data, actor);
    MUST(!"a line that nobody may have said");
}

/* Each line; of one who could not hear before, only the names are taken. */
static void hear(int ear, int actor, bool checks)
{
    struct pg_bytes out = harness_out(h, ear);
    const uint8_t *end;

    while (out.len && (end = memchr(out.data, '\n', out.len))) {
        struct pg_bytes line = {out.data, (size_t)(end - out.data)};

        if (checks)
            check_line(ear, actor, line);
        else
            is_answer(&members[ear], line);
        out = pg_bytes(end + 1, out.len - line.len - 1);
    }
    harness_clear(h, ear);
}

/* The actor first: the others hear the name it has now. */
static void hear_all(int actor)
{
    note_drops();
    for (int i = 0; i < count; i++) {
        members[i].is_leaving = !members[i].is_gone && harness_is_closed(h, i);
        members[i].is_gone = harness_is_closed(h, i);
    }
    if (!members[actor].was_deaf)
        hear(actor, actor, true);
    for (int i = 0; i < count; i++)
        if (i != actor || members[i].was_deaf)
            hear(i, actor, !members[i].was_deaf && !members[actor].was_deaf);
    check_names();
}

/* ---- what is done ----------------------------------------------------- */

static int join(bool is_stream)
{
    struct member *self = &members[count++];

    *self = (struct member){.is_stream = is_stream};
    self->was_deaf = is_deaf(self);
    return harness_connect_by(h, is_stream ? PG_STREAM : PG_RECORDS);
}

static void say(int who, struct pg_bytes bytes)
{
    uint8_t line[300];

    memcpy(line, bytes.data, bytes.len);
    line[bytes.len] = '\n';
    harness_push(h, who, pg_bytes(line, bytes.len + 1));
}

static void command(int who, struct fuzz *fuzz)
{
    static const char *const words[] = {"/who",         "/quit", "/nick guest2",
                                        "/nick guest1", "//",    "/"};
    static const char *const rooms[] = {"/join main", "/join garden",
                                        "/join GARDEN", "/rooms"};
    uint8_t choice = fuzz_byte(fuzz);
    uint8_t line[300] = "/nick ";
    struct pg_bytes rest;

    if (choice % 8 < 6) {
        say(who, pg_text(words[choice % 8]));
        return;
    }
    if (FUZZ_ROOMS && choice % 8 == 6) {
        say(who, pg_text(rooms[choice / 8 % 4]));
        return;
    }
    rest = fuzz_bytes(fuzz, choice / 8);
    if (rest.len)
        memcpy(line + 6, rest.data, rest.len);
    say(who, pg_bytes(line, 6 + rest.len));
}

/* Gone by its own will or the network's; a UDP peer only by being silent. */
static void leave(int who, enum act what)
{
    if (what == RESET)
        harness_reset(h, who);
    else
        harness_end(h, who);
}

static int act(enum act what, int who, struct fuzz *fuzz)
{
    switch (what) {
    case SAY: /* raw: perhaps without a line end, perhaps with several */
        harness_push(h, who, fuzz_bytes(fuzz, fuzz_byte(fuzz)));
        break;
    case COMMAND:
        command(who, fuzz);
        break;
    case JOIN:
        return count < MEMBERS ? join(fuzz_byte(fuzz) & 1) : who;
    case END:
    case RESET:
        leave(who, what);
        break;
    case BLOCK:
    case UNBLOCK:
        members[who].is_blocked = what == BLOCK;
        harness_block(h, who, what == BLOCK);
        break;
    default:
        harness_advance(h, 1000u * fuzz_byte(fuzz));
    }
    return who;
}

static void begin_act(struct member *self)
{
    self->was_deaf = is_deaf(self);
    if (self->name_count > 1)
        memcpy(self->names[0], name_of(self), NAME_BYTES + 1);
    self->name_count = self->name_count > 0;
    if (self->room_count > 1)
        memcpy(self->rooms[0], self->rooms[self->room_count - 1],
               PG_KEY_BYTES + 1);
    self->room_count = self->room_count > 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz fuzz = {data, size};

    count = 0;
    hear_all(join(true));
    hear_all(join(true));
    hear_all(join(false));
    while (fuzz.len) {
        uint8_t choice = fuzz_byte(&fuzz);

        for (int i = 0; i < count; i++)
            begin_act(&members[i]);
        hear_all(act((enum act)(choice % ACTS), choice / ACTS % count, &fuzz));
    }
    stream_forget(h);
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    char handlers[200];

    (void)argc, (void)argv;
    snprintf(handlers, sizeof(handlers),
             "[{\"plugin\": \"lines\", \"max_bytes\": 250, \"hint_s\": 0},"
             " {\"plugin\": \"chat-broadcast\"%s}]",
             OPTIONS);
    h = harness_create_both(handlers, LIMITS);
    return 0;
}
