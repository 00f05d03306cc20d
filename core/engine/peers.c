/* Sessions by address, and the end of those that were silent for too long. */

#include "engine/peers.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "out/end.h"
#include "workers/commons.h"

#define UNHEARD_LOOK_MS 10 /* between two looks whether all has been read */
#define UNHEARD_MOST_MS 1000

__extension__ typedef unsigned __int128 product;

static uint64_t peers_word(const uint8_t *address)
{
    uint64_t word;

    memcpy(&word, address, sizeof(word));
    return word;
}

/* Both halves of a product, as in wyhash: each bit of the factors counts. */
static uint64_t peers_folded(uint64_t a, uint64_t b)
{
    product all = (product)a * b;

    return (uint64_t)all ^ (uint64_t)(all >> 64);
}

/* An attacker who forges addresses must not be able to choose those that fall
   together, so each process has seeds of its own, one for each factor. The last
   word may overlap the one before; what is shorter goes byte by byte. */
static unsigned peers_hash(const uint8_t *key, size_t len)
{
    static uint64_t seeds[2];
    uint64_t hash = len;
    size_t done;

    while (!seeds[0])
        if (getrandom(seeds, sizeof(seeds), 0) < 0)
            seeds[0] = seeds[1] = (uintptr_t)&hash; /* laid out at random */
    for (done = 0; done + 8 < len; done += 8)
        hash = peers_folded(peers_word(key + done) ^ seeds[0], hash ^ seeds[1]);
    if (len >= 8)
        hash =
            peers_folded(peers_word(key + len - 8) ^ seeds[0], hash ^ seeds[1]);
    for (; len < 8 && done < len; done++)
        hash = peers_folded(key[done] ^ seeds[0], hash ^ seeds[1]);
    return (unsigned)(hash ^ hash >> 32);
}

#define HASH_FUNCTION(key, len, hash)                                          \
    ((hash) = peers_hash((const uint8_t *)(key), (len)))

/* Out of memory uthash leaves hh.tbl NULL, and the new session is refused. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct peer {
    UT_hash_handle hh;
    uint32_t slot;
};

/* For the other workers, whose connections may have such a peer's place. */
static void peers_count(const struct pg_session *session,
                        void (*count)(struct commons *commons, unsigned worker))
{
    if (session_may_be_forged(session) && !(session->flags & SESSION_STRANGER))
        count(core->commons, core->worker);
}

bool peers_add(struct pg_session *session)
{
    struct pg_listener *listener = session_listener(session);
    struct peer *peer = calloc(1, sizeof(*peer));

    activity_add(session);
    if (listener->run->idle_ms && !listener->run->expiry_at)
        peers_expire(listener);
    if (!peer)
        return false;
    peer->slot = session->slot;
    HASH_ADD_KEYPTR(hh, listener->run->peers, session_data(session),
                    listener->transport->peer_size, peer);
    if (!peer->hh.tbl) {
        free(peer);
        return false;
    }
    core->runs[session->slot].peer = peer;
    peers_count(session, commons_peer_add);
    return true;
}

void peers_make_known(struct pg_session *session)
{
    activity_remove(session);
    slot_make_known(session);
    session->active_ms = core_now_ms();
    activity_add(session);
    peers_count(session, commons_peer_add);
}

void peers_forget(struct pg_session *session)
{
    struct peer *peer = core->runs[session->slot].peer;

    activity_remove(session);
    if (!peer)
        return;
    peers_count(session, commons_peer_remove);
    HASH_DEL(session_listener(session)->run->peers, peer);
    free(peer);
    core->runs[session->slot].peer = NULL;
}

/* The peer heard from is often the one heard from last. */
struct pg_session *peers_find(struct pg_listener *listener, const void *peer)
{
    uint32_t newest = listener->run->known.newest;
    struct peer *found;

    if (newest && !memcmp(session_data(session_at(newest - 1)), peer,
                          listener->transport->peer_size))
        return session_at(newest - 1);
    HASH_FIND(hh, listener->run->peers, peer, listener->transport->peer_size,
              found);
    return found ? session_at(found->slot) : NULL;
}

/* ---- silence ----------------------------------------------------------- */

/* The process may have stood still: what peers have said meanwhile waits. */
static bool peers_wait_unheard(int fd)
{
    return fd >= 0 && core->io->has_input && core->io->has_input(fd);
}

/* A connection that is not read from may say much that nobody hears, and after
   its end it says nothing any more. */
static bool peers_may_have_spoken(const struct pg_session *session)
{
    return session_is_connection(session) &&
           (!(session->watching & CORE_READ) ||
            peers_wait_unheard(session->fd));
}

/* Any of the records that wait may be from the peer in question. Who sends on
   and on does not hold up the end of others: in UNHEARD_MOST_MS all has been
   read that waited at first. */
static bool peers_must_be_heard(struct listener_run *run)
{
    uint64_t now = core_now_ms();

    if (!peers_wait_unheard(run->fd) ||
        (run->unheard_ms && now - run->unheard_ms > UNHEARD_MOST_MS)) {
        run->unheard_ms = 0;
        return false;
    }
    if (!run->unheard_ms)
        run->unheard_ms = now;
    return true;
}

/* When the next one of a list is due; 0: nobody is left in it. */
static uint64_t peers_expire_list(struct listener_run *run,
                                  const struct activity *list)
{
    while (list->oldest) {
        struct pg_session *session = session_at(list->oldest - 1);

        if (session->active_ms + run->idle_ms > core_now_ms())
            return session->active_ms + run->idle_ms;
        if (!session_is_connection(session) && peers_must_be_heard(run))
            return core_now_ms() + UNHEARD_LOOK_MS;
        if (peers_may_have_spoken(session)) {
            session->active_ms = core_now_ms();
            activity_renew(session);
            continue;
        }
        peers_forget(session); /* off the list; the address may come anew */
        session_end(session, PG_END_FIN, PG_WHY_IDLE, "idle for too long");
    }
    return 0;
}

void peers_expire(struct pg_listener *listener)
{
    struct listener_run *run = listener->run;
    uint64_t known, strangers;

    run->expiry_at = 0;
    if (!run->idle_ms)
        return;
    known = peers_expire_list(run, &run->known);
    strangers = peers_expire_list(run, &run->strangers);
    run->expiry_at =
        !known || (strangers && strangers < known) ? strangers : known;
    if (run->expiry_at)
        timer_add(run->expiry_at, listener->id, 0, TIMER_LISTENER, 0);
}
