#include "engine/peers.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

__extension__ typedef unsigned __int128 product;

static uint64_t peers_word_at(const uint8_t *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof(word));
    return word;
}

/* Both halves of a product, as in wyhash: each bit of the factors counts. */
static uint64_t peers_folded(uint64_t a, uint64_t b)
{
    product all = (product)a * b;

    return (uint64_t)all ^ (uint64_t)(all >> 64);
}

/* Whoever can forge addresses must not be able to choose those that fall
   together, so each process has seeds of its own, one for each factor. The last
   word may overlap the one before; what is shorter goes byte by byte. */
static unsigned peers_hash(const uint8_t *key, size_t len)
{
    static uint64_t seeds[2];
    uint64_t hash = len;
    size_t at;

    while (!seeds[0])
        if (getrandom(seeds, sizeof(seeds), 0) < 0)
            seeds[0] = seeds[1] = (uintptr_t)&hash; /* laid out at random */
    for (at = 0; at + 8 < len; at += 8)
        hash =
            peers_folded(peers_word_at(key + at) ^ seeds[0], hash ^ seeds[1]);
    if (len >= 8)
        hash = peers_folded(peers_word_at(key + len - 8) ^ seeds[0],
                            hash ^ seeds[1]);
    for (; len < 8 && at < len; at++)
        hash = peers_folded(key[at] ^ seeds[0], hash ^ seeds[1]);
    return (unsigned)(hash ^ hash >> 32);
}

#define HASH_FUNCTION(key, len, hash)                                          \
    ((hash) = peers_hash((const uint8_t *)(key), (len)))

/* Out of memory: the address is not found again, its next datagram makes a
   new session, and the old one expires. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct peer {
    UT_hash_handle hh;
    uint32_t slot;
};

static void peers_list_remove(struct pg_session *session)
{
    struct listener_run *run = session_listener(session)->run;

    if (session->older)
        session_at(session->older - 1)->newer = session->newer;
    else
        run->oldest = session->newer;
    if (session->newer)
        session_at(session->newer - 1)->older = session->older;
    else
        run->newest = session->older;
    session->older = session->newer = 0;
}

static void peers_list_add(struct pg_session *session)
{
    struct listener_run *run = session_listener(session)->run;

    session->newer = 0;
    session->older = run->newest;
    if (run->newest)
        session_at(run->newest - 1)->newer = session->slot + 1;
    else
        run->oldest = session->slot + 1;
    run->newest = session->slot + 1;
}

static void peers_set_expiry(struct pg_listener *listener)
{
    if (listener->run->idle_ms && !listener->run->expiry_at)
        session_expire(listener);
}

bool peers_add(struct pg_session *session)
{
    struct pg_listener *listener = session_listener(session);
    struct peer *peer = calloc(1, sizeof(*peer));

    peers_list_add(session);
    peers_set_expiry(listener);
    if (!peer)
        return false;
    peer->slot = session->slot;
    HASH_ADD_KEYPTR(hh, listener->run->peers, pg_session_data(session),
                    listener->transport->peer_size, peer);
    if (!peer->hh.tbl) {
        free(peer);
        return false;
    }
    core->runs[session->slot].peer = peer;
    return true;
}

void peers_forget(struct pg_session *session)
{
    struct listener_run *run = session_listener(session)->run;
    struct peer *peer = core->runs[session->slot].peer;

    if (session->older || session->newer || run->oldest == session->slot + 1)
        peers_list_remove(session);
    if (!peer)
        return;
    HASH_DEL(run->peers, peer);
    free(peer);
    core->runs[session->slot].peer = NULL;
}

/* Whoever is heard from is often the one heard from last. */
struct pg_session *peers_find(struct pg_listener *listener, const void *peer)
{
    uint32_t newest = listener->run->newest;
    struct peer *found;

    if (newest && !memcmp(pg_session_data(session_at(newest - 1)), peer,
                          listener->transport->peer_size))
        return session_at(newest - 1);
    HASH_FIND(hh, listener->run->peers, peer, listener->transport->peer_size,
              found);
    return found ? session_at(found->slot) : NULL;
}

void peers_touch(struct pg_session *session)
{
    struct listener_run *run = session_listener(session)->run;

    if (run->newest == session->slot + 1 || !core->runs[session->slot].peer)
        return;
    peers_list_remove(session);
    peers_list_add(session);
}
