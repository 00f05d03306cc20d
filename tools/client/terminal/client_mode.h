/*
 * client_mode - the terminal's mode, given back whatever happens: at the end,
 * at exit(), and when a plugin crashes in the middle of a line.
 */
#ifndef CLIENT_MODE_H
#define CLIENT_MODE_H

/* Saves the mode as it is now. */
void client_mode_save(void);
/* Gives the saved mode back, if there is one. */
void client_mode_restore(void);

#endif
