/*
 * result - what an experiment has to say, as JSON, from which the terminal's
 * text, `--json` and the page are made.
 *
 *     did     what was done, a sentence or more
 *     rows    what was measured: TCP and UDP side by side
 *     why     one sentence
 *     notes   what the reader should know, such as which fall-back was used
 *     plots   pictures
 *     checks  what theory says must come out, and whether it did
 */
#ifndef RESULT_H
#define RESULT_H

#include <stdbool.h>

#include <jansson.h>

#include <playground/handler.h>

struct lab;

enum side {
    SIDE_TCP,
    SIDE_UDP,
};

/* ---- words ------------------------------------------------------------ */

/* Called again, each adds a sentence or a note. */
void result_did(struct lab *lab, const char *format, ...) PG_PRINTF(2, 3);
void result_why(struct lab *lab, const char *format, ...) PG_PRINTF(2, 3);
void result_note(struct lab *lab, const char *format, ...) PG_PRINTF(2, 3);

/* ---- rows ------------------------------------------------------------- */

/* Values of cells: numbers stay numbers in --json. */
json_t *value_count(long long count);
json_t *value_number(double number); /* shown with three digits */
json_t *value_text(const char *format, ...) PG_PRINTF(1, 2);
json_t *value_bool(bool is_true); /* shown as yes or no */
json_t *value_none(void);         /* does not apply; shown as a dash */
/* json_array() of the above is shown with commas: 5, 5, 5 */

/* `key` for programs ("reads"), `measure` for people, unit "" for none. Steals
   the values. */
void result_row(struct lab *lab, const char *key, const char *measure,
                const char *unit, json_t *tcp, json_t *udp);

/* Rows of two values of one kind. */
void result_counts(struct lab *lab, const char *key, const char *measure,
                   const char *unit, long long tcp, long long udp);
void result_numbers(struct lab *lab, const char *key, const char *measure,
                    const char *unit, double tcp, double udp);
void result_bools(struct lab *lab, const char *key, const char *measure,
                  bool tcp, bool udp);
void result_words(struct lab *lab, const char *key, const char *measure,
                  const char *tcp, const char *udp);

/* ---- checks ----------------------------------------------------------- */

/* A relation that theory demands: `tcp_merges`, "TCP merges messages". A
   check that fails makes the command's exit status 1. Returns `holds`. */
bool result_check(struct lab *lab, const char *key, bool holds,
                  const char *claim);

/* A check of a claim that takes time to show: it may fail, although theory is
   right, when one of those who take part comes more than `slack_ms` late. When
   it does not hold and this machine was so late (lab_late_ms()), the machine
   was too busy to tell: the result says that instead of "not as theory says",
   has no answer, and the exit status is 3. */
bool result_check_timed(struct lab *lab, const char *key, bool holds,
                        const char *claim, double slack_ms);

/* Which of the answers to the experiment's own question came out. */
void result_answer(struct lab *lab, int answer);

/* ---- plots ------------------------------------------------------------ */

enum plot_kind {
    PLOT_LINES,  /* points joined by lines */
    PLOT_POINTS, /* points alone */
    PLOT_STEPS,  /* a value holds until the next, as in a distribution */
    PLOT_BARS,   /* a bar for each label, series side by side */
};

/* The subject of a series; told apart by colour, line and mark. OTHER is for a
   third and further ones. */
enum plot_of {
    PLOT_TCP,
    PLOT_UDP,
    PLOT_OTHER,
};

/* Axis labels with their units: "time after sending (ms)". The description is
   read out to those who cannot see it. Both returned values are borrowed. */
json_t *result_plot(struct lab *lab, enum plot_kind kind, const char *title,
                    const char *description, const char *x, const char *y);
/* Adds a series. The second and further ones of one side are drawn in another
   shade and mark. */
json_t *plot_series(json_t *plot, enum plot_of of, const char *name);
void plot_point(json_t *series, double x, double y);
void plot_bar(json_t *series, const char *label, double y);
/* The axis is logarithmic; values at or below 0 are left out. */
void plot_log_x(json_t *plot);
void plot_log_y(json_t *plot);
/* A vertical line with a word beside it: "packet 50 lost". */
void plot_mark(json_t *plot, double x, const char *label);

#endif
