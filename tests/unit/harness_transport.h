/*
 * harness_transport - what the two transports of the harness (the plugins
 * harness-stream and harness-records) call in the test program.
 */
#ifndef HARNESS_TRANSPORT_H
#define HARNESS_TRANSPORT_H

#include <playground/simulation.h>

/* A session's own data: the peer's number. */
struct harness_session {
    uint32_t peer;
};

PG_API ssize_t harness_recv(struct pg_session *session, int fd, void *buffer,
                            size_t size);
PG_API ssize_t harness_send(struct pg_session *session, int fd,
                            const struct iovec *parts, int count);
PG_API void harness_finish(struct pg_session *session, int fd);
PG_API void harness_look(struct pg_session *session, int fd,
                         struct pg_look *look);
PG_API int harness_send_records(struct pg_listener *listener, int fd,
                                const struct pg_record *records, int count);
PG_API void harness_address(struct pg_listener *listener,
                            const struct pg_session *session, int fd,
                            char *text, size_t size);

PG_API void harness_local(struct pg_listener *listener,
                          const struct pg_session *session, char *text,
                          size_t size);

/* The test itself moves the clock; nothing comes of its own accord. */
extern PG_API const struct pg_simulation harness_simulation;

#endif
