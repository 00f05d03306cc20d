/*
 * output - lines to stdout, stderr or a file that never block the caller.
 *
 * Each pg_file is a bounded ring (256 KiB) in memory. One thread writes them
 * all out; it starts with the first line. A stopped terminal, a reader that
 * does not read or a full disk makes the ring overflow: the lines lost are
 * counted, and one line in their place announces how many as soon as there is
 * room again.
 *
 *   output_write()  ->  [ ring ] \
 *   output_write()  ->  [ ring ]  ->  writer: poll(2)  ->  write(2)
 *   output_write()  ->  [ ring ] /
 *
 * One output that is stuck does not hold up another: what can be polled is
 * polled, and where write(2) itself does not come back (a file on a network
 * disk) that thread stays with its file, and another one takes the rest.
 *
 * A file that was moved or removed is begun anew. Lines for a pipe that nobody
 * reads are lost and counted, until somebody does.
 *
 * After fork(2) the child's rings are empty: what was in them is the parent's
 * to write.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <playground/handler.h>

#define OUTPUT_RING_BYTES (256 * 1024)
#define OUTPUT_LINE_BYTES 4096

/* The two standard streams are never closed. */
struct pg_file *output_stdout(void);
struct pg_file *output_stderr(void);
/* Appends to `path` (mode 0640 if made). NULL with errno. */
struct pg_file *output_open(const char *path);
/* Waits at most `ms` for what is in the ring, then closes. Accepts NULL;
   stdout and stderr stay. */
void output_close(struct pg_file *file, unsigned ms);
/* Closes the files that were given to `owner`. */
void output_set_owner(struct pg_file *file, const void *owner);
void output_close_owned(const void *owner, unsigned ms);
/* Takes the descriptor that the writer needs while there are some: a server
   that has run out of them must be able to say so. */
void output_reserve(void);
/* From now on output_write() waits for room, and output_finish() for ten
   seconds if need be: in a simulation nobody minds, and no line may be lost. */
void output_be_patient(void);
/* At the end of the process: waits at most `ms`, or as long as the patient do,
   for all rings to be written; returns how many lines, of closed files too,
   nobody has seen or been told of. */
uint64_t output_finish(unsigned ms);

/* output_finish() as the last thing of a process: it says on stderr how many
   lines are missing, if stderr takes a line at once. */
void output_finish_aloud(unsigned ms);

/* Appends bytes as they are, a whole line or several. 0, or -EAGAIN: there was
   no room, or nobody will ever read it; that has been counted. Lines that were
   taken may be lost and counted later, see above. */
int output_write(struct pg_file *file, struct pg_bytes bytes);

/* Calls `fn` for each file that has lost lines, announced or not, with its
   owner (NULL: it has none). */
void output_each_lost(void (*fn)(const char *name, const void *owner,
                                 uint64_t lines, void *arg),
                      void *arg);

/* One line: formats, escapes by PG_UTF8_LINE (but a last line end), adds "\n".
   Lines over 4 KiB are cut with "...". */
void output_line(struct pg_file *file, const char *format, ...) PG_PRINTF(2, 3);
void output_vline(struct pg_file *file, const char *format, va_list arguments)
    PG_PRINTF(2, 0);

#endif
