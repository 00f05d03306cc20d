/* Both ends of the chain that the clients have. */

#include "compare/load/load_parts.h"

#include "chain/chain.h"
#include "compare/tools/tcp_figures.h"

static struct load_traffic counted; /* the TCP figures are not in it */

/* ---- right above the transport ---------------------------------------- */

static enum pg_verdict load_chain_bottom_recv(struct pg_ctx *ctx,
                                              struct pg_bytes in)
{
    (void)ctx;
    counted.in_records++;
    counted.in_bytes += in.len;
    return PG_PASS;
}

static enum pg_verdict load_chain_bottom_send(struct pg_ctx *ctx,
                                              struct pg_bytes out)
{
    (void)ctx;
    counted.out_records++;
    counted.out_bytes += out.len;
    return PG_PASS;
}

const struct pg_handler load_bottom_handler = {
    .abi = PG_HANDLER_ABI,
    .name = "traffic",
    .summary = "counts what goes through the transport",
    .shows_cuts = true,
    .recv = load_chain_bottom_recv,
    .send = load_chain_bottom_send,
};

/* ---- what went through the transport ---------------------------------- */

struct load_traffic load_traffic_now(void)
{
    struct load_traffic traffic = counted;

    for (unsigned i = 0; i < load_us.plan->clients; i++) {
        const struct pg_session *session =
            session_by_number(load_us.clients[i].session);
        struct tcp_figures figures;

        if (!session || session->fd < 0 ||
            !tcp_figures_get(session->fd, &figures))
            continue;
        traffic.segments_out += figures.segments_out;
        traffic.segments_in += figures.segments_in;
        traffic.retransmissions += figures.retransmissions;
    }
    return traffic;
}

struct load_traffic load_traffic_since(const struct load_traffic *before)
{
    struct load_traffic now = load_traffic_now();

    now.out_records -= before->out_records;
    now.out_bytes -= before->out_bytes;
    now.in_records -= before->in_records;
    now.in_bytes -= before->in_bytes;
    now.segments_out -= before->segments_out;
    now.segments_in -= before->segments_in;
    now.retransmissions -= before->retransmissions;
    return now;
}

/* ---- the last entry --------------------------------------------------- */

/* The listener tells the client: each has one of its own, because a UDP socket
   has one peer. */
static unsigned load_chain_client_of(const struct pg_ctx *ctx)
{
    return ctx->listener->id;
}

static enum pg_verdict load_chain_top_open(struct pg_ctx *ctx)
{
    load_client_opened(load_chain_client_of(ctx), pg_session_number(ctx),
                       pg_input_kind(ctx) == PG_STREAM);
    return PG_PASS;
}

static enum pg_verdict load_chain_top_recv(struct pg_ctx *ctx,
                                           struct pg_bytes in)
{
    load_client_heard(load_chain_client_of(ctx), in);
    return PG_STOP;
}

static void load_chain_top_close(struct pg_ctx *ctx, struct pg_reason reason)
{
    load_client_closed(load_chain_client_of(ctx), reason.text);
}

const struct pg_handler load_top_handler = {
    .abi = PG_HANDLER_ABI,
    .name = "clients",
    .summary = "sees what arrives",
    .open = load_chain_top_open,
    .recv = load_chain_top_recv,
    .close = load_chain_top_close,
};
