/* TCP echo as libuv's guide writes it: uv_tcp_t, a buffer from malloc for each
   read, uv_write, free. */
#include "common.h"

#include <uv.h>

struct answer {
    uv_write_t request;
    uv_buf_t bytes;
};

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *bytes)
{
    (void)handle;
    *bytes = uv_buf_init(malloc(size), (unsigned)size);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle);
}

static void on_written(uv_write_t *request, int status)
{
    struct answer *answer = (struct answer *)request;

    (void)status;
    free(answer->bytes.base);
    free(answer);
}

static void on_read(uv_stream_t *client, ssize_t got, const uv_buf_t *bytes)
{
    struct answer *answer;

    if (got <= 0) {
        free(bytes->base);
        if (got < 0)
            uv_close((uv_handle_t *)client, on_closed);
        return;
    }
    answer = malloc(sizeof(*answer));
    answer->bytes = uv_buf_init(bytes->base, (unsigned)got);
    uv_write(&answer->request, client, &answer->bytes, 1, on_written);
}

static void on_connection(uv_stream_t *server, int status)
{
    uv_tcp_t *client = malloc(sizeof(*client));

    (void)status;
    uv_tcp_init(uv_default_loop(), client);
    if (uv_accept(server, (uv_stream_t *)client)) {
        uv_close((uv_handle_t *)client, on_closed);
        return;
    }
    uv_tcp_nodelay(client, 1);
    uv_read_start((uv_stream_t *)client, on_alloc, on_read);
}

int main(void)
{
    uv_tcp_t server;

    uv_tcp_init(uv_default_loop(), &server);
    must(uv_tcp_open(&server, common_listen()), "uv_tcp_open");
    must(uv_listen((uv_stream_t *)&server, 4096, on_connection), "uv_listen");
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
