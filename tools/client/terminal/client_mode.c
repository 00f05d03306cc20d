/* Saves the terminal's mode, and gives it back even after a crash. */

#include "client/terminal/client_mode.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

static struct termios saved_mode;
static bool has_saved_mode;
static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

#define CRASHES (sizeof(crashes) / sizeof(crashes[0]))

static struct sigaction before[CRASHES];

static void client_mode_at_exit(void)
{
    if (has_saved_mode)
        tcsetattr(STDIN_FILENO, TCSANOW, &saved_mode);
}

/* Gives back the terminal, perhaps because a plugin has crashed, and goes on
   as if nobody had caught the signal. */
static void client_mode_crashed(int number)
{
    tcsetattr(STDIN_FILENO, TCSANOW, &saved_mode);
    for (size_t i = 0; i < CRASHES; i++)
        if (crashes[i] == number)
            sigaction(number, &before[i], NULL);
    raise(number);
}

void client_mode_save(void)
{
    struct sigaction action = {.sa_handler = client_mode_crashed};

    has_saved_mode = tcgetattr(STDIN_FILENO, &saved_mode) == 0;
    if (!has_saved_mode)
        return;
    for (size_t i = 0; i < CRASHES; i++)
        sigaction(crashes[i], &action, &before[i]);
    atexit(client_mode_at_exit);
}

void client_mode_restore(void)
{
    if (!has_saved_mode)
        return;
    client_mode_at_exit();
    has_saved_mode = false;
    for (size_t i = 0; i < CRASHES; i++)
        sigaction(crashes[i], &before[i], NULL);
}
