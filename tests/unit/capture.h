/*
 * capture - what the server says on stderr while a test runs a harness.
 */
#ifndef CAPTURE_H
#define CAPTURE_H

#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/output.h"

struct capture {
    FILE *file;
    int before;
};

static inline struct capture capture_begin(void)
{
    struct capture capture = {tmpfile(), dup(STDERR_FILENO)};

    assert_int_equal(output_finish(60000), 0); /* of the tests before */
    assert_non_null(capture.file);
    assert_true(dup2(fileno(capture.file), STDERR_FILENO) >= 0);
    return capture;
}

/* What was said up to now; to be freed. */
static inline char *capture_text(struct capture *capture)
{
    long len;
    char *text;

    assert_int_equal(output_finish(60000), 0);
    fseek(capture->file, 0, SEEK_END);
    len = ftell(capture->file);
    text = calloc(1, (size_t)len + 1);
    assert_non_null(text);
    rewind(capture->file);
    assert_int_equal(fread(text, 1, (size_t)len, capture->file), len);
    return text;
}

static inline void capture_end(struct capture *capture)
{
    output_finish(60000);
    dup2(capture->before, STDERR_FILENO);
    close(capture->before);
    fclose(capture->file);
}

#endif
