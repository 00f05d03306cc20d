/*
 * client_mode - the terminal's mode, given back whatever happens: at the end,
 * at exit(), and when a plugin crashes in the middle of a line.
 */
#ifndef CLIENT_MODE_H
#define CLIENT_MODE_H

/* Keeps the mode as it is now. */
void mode_save(void);
/* Gives it back, if it was kept. */
void mode_restore(void);

#endif
