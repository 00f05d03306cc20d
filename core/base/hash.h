/*
 * hash - two mixing functions, whose numbers are written down once.
 *
 * FNV-1a (Fowler, Noll and Vo) for names, splitmix64 (Steele, Lea and Flood,
 * 2014) for random numbers that a seed repeats on every machine.
 */
#ifndef HASH_H
#define HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_START 2166136261u

static inline uint32_t hash_byte(uint32_t hash, uint8_t byte)
{
    return (hash ^ byte) * 16777619u;
}

/* Goes on from `hash`, HASH_START at first, with the bytes of a text. */
static inline uint32_t hash_text(uint32_t hash, const char *text)
{
    for (; *text; text++)
        hash = hash_byte(hash, (uint8_t)*text);
    return hash;
}

/* The step from one number of splitmix64 to the next. */
#define HASH_STEP 0x9e3779b97f4a7c15u

/* The mixing step of splitmix64: a bijection whose output looks random even
   for consecutive inputs. */
static inline uint64_t hash_mixed(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* The next number of splitmix64. */
static inline uint64_t hash_random(uint64_t *state)
{
    return hash_mixed(*state += HASH_STEP);
}

#endif
