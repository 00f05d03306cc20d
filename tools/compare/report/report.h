/*
 * report - all that one command found, and what it takes to find it again.
 */
#ifndef REPORT_H
#define REPORT_H

#include <jansson.h>

/* The command that repeats it, seed, version, date and machine; "experiments"
   is empty. A new reference. */
json_t *report_create(const char *command, double seed);

/* 0: each experiment could be run and came out as theory says; 1: not so; 3:
   some could not tell, because this machine was too busy. */
int report_exit_status(const json_t *report);

#endif
