/* Keeps the signals that were ignored on purpose, and sets the others anew. */

#include "base/inherited.h"

static const int kept[] = {SIGHUP, SIGINT, SIGQUIT};
static const int anew[] = {SIGTERM, SIGCHLD, SIGUSR1, SIGUSR2, SIGALRM};

#define KEPT (sizeof(kept) / sizeof(*kept))

static bool was_ignored[KEPT];

void inherited_set_anew(void)
{
    struct sigaction action;
    sigset_t none;

    for (size_t i = 0; i < KEPT; i++)
        was_ignored[i] = sigaction(kept[i], NULL, &action) == 0 &&
                         action.sa_handler == SIG_IGN;
    for (size_t i = 0; i < sizeof(anew) / sizeof(*anew); i++)
        signal(anew[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

bool inherited_is_ignored(int number)
{
    for (size_t i = 0; i < KEPT; i++)
        if (kept[i] == number)
            return was_ignored[i];
    return false;
}

sigset_t inherited_wanted(const int *numbers, size_t count)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < count; i++)
        if (!inherited_is_ignored(numbers[i]))
            sigaddset(&set, numbers[i]);
    return set;
}
