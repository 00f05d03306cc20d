/* The one core of this process. */

#include "state/state.h"

struct core *core;
