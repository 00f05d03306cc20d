/*
 * group_api - the functions of playground/handler.h about groups, as the others
 * need them.
 */
#ifndef GROUP_API_H
#define GROUP_API_H

#include "chain/chain.h"

/* A ctx has another key: its groups list it under that. */
void group_api_show(const struct pg_ctx *ctx);

#endif
