/* program - where the program that is running lies. */
#ifndef PROGRAM_H
#define PROGRAM_H

/* Its whole path, or "" when nobody knows: from /proc, and where that is not
   mounted from what execve(2) was given, see AT_EXECFN in getauxval(3). */
const char *program_path(void);

/* What starts it once more, also when its file has been replaced since. */
const char *program_to_run(void);

#endif
