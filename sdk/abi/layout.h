/* How the files of this folder say where a field lies and what it is; see v1_0.c.
 * Offsets and sizes are those of machines with 64-bit pointers. */
#ifndef PARTI_SDK_ABI_LAYOUT_H
#define PARTI_SDK_ABI_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#define IS(type, field, ...)                                                          \
    _Static_assert(_Generic(((struct type *)0)->field, __VA_ARGS__ : 1, default : 0), \
                   "the type of " #type "." #field)

#if UINTPTR_MAX == UINT64_MAX
#define AT(type, field, offset, size)                           \
    _Static_assert(offsetof(struct type, field) == (offset),    \
                   "the offset of " #type "." #field);          \
    _Static_assert(sizeof(((struct type *)0)->field) == (size), \
                   "the size of " #type "." #field)
#else
#define AT(type, field, offset, size) \
    _Static_assert(sizeof(((struct type *)0)->field) > 0, "there is " #type "." #field)
#endif

#define VALUE(name, value) _Static_assert((name) == (value), "the value of " #name)

/* The whole struct, in its first release: later ones are no smaller, and padding has no
 * room for a new field. */
#if UINTPTR_MAX == UINT64_MAX
#define WHOLE(type, size)                                                \
    _Static_assert(sizeof(struct type) >= (size), "the size of " #type); \
    _Static_assert(sizeof(struct type) % 8 == 0, #type " has no hidden end")
#else
#define WHOLE(type, size) _Static_assert(sizeof(struct type) > 0, "there is " #type)
#endif

#endif
