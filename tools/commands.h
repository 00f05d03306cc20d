/*
 * commands - the subcommands of `playground`.
 *
 * argv[0] is the command's own name. Each returns the exit status: 0 fine,
 * 1 failed while running, 2 wrong usage or wrong config.
 */
#ifndef COMMANDS_H
#define COMMANDS_H

int cmd_run(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_plugins(int argc, char **argv);
int cmd_client(int argc, char **argv);
int cmd_build(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_wire(int argc, char **argv);
/* Not for people: what `run` starts its workers as. */
int cmd_worker(int argc, char **argv);

#endif
