/*
 * predict - asks for a guess before an experiment, and says afterwards what
 * became of it.
 */
#ifndef PREDICT_H
#define PREDICT_H

#include <stdio.h>

#include <jansson.h>

#include "compare/lab/experiment.h"

/* Reads lines from `in` until one names an answer, or is empty: no guess (-1);
   so is the end of `in`. The letters are those of the answers: a, b, ... */
int predict_ask(const struct experiment *experiment, FILE *in, FILE *out);

/* Makes the question, the guess and what came out a part of the result. */
void predict_note(json_t *result, const struct experiment *experiment,
                  int guess);

/* "Your guess was right: b) ..."; nothing where none was made. */
void predict_tell(const json_t *result, FILE *out, size_t width);

/* How many were made and right: "3 of 4 guesses were right." */
void predict_sum(const json_t *results, FILE *out);

#endif
