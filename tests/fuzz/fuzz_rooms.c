/* fuzz_rooms: fuzz_chat in a chat with rooms. */
#define FUZZ_ROOMS 1
#include "fuzz_chat.c"
