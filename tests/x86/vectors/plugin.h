/* The C interface between a runner of instruction vectors and a processor built as a shared object. The object exports
   ox_get_api(). A runner outside this project can drive our processor with it; tools/vectors uses the same functions.
   docs/formats-vectors.md describes the vectors; register ids and segment attributes are the same there.            */
#pragma once
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

/* Segments come in the order ES CS SS DS FS GS. attr: descriptor bits 40..47 below, AVL L D/B G in bits 8..11. */
struct ox_seg {
    uint16_t sel, attr;
    uint32_t limit;
    uint64_t base;
};

/* prot: 1 readable, 2 writable, 4 executable. */
struct ox_region {
    uint64_t base;
    uint32_t size, prot;
};

/* From the header of a vector file. */
struct ox_config {
    uint32_t mode, flags;
    uint32_t nregions;
    const struct ox_region* regions;
    struct ox_seg seg[6];
    uint32_t ngdt, nldt;
    const uint64_t *gdt, *ldt;
};

struct ox_state {
    uint64_t gpr[16], rip, rflags;
    uint16_t sel[6];
    uint64_t fsbase, gsbase;
    uint16_t fcw, fsw;
    uint8_t ftw;
    uint32_t mxcsr;
    uint8_t st[8][10], xmm[16][16], ymmh[16][16];
};

struct ox_exc {
    int raised;
    uint8_t vector;
    uint32_t error;
    uint64_t cr2;
};

struct ox_api {
    int version;                              /* 1 */
    void* (*create)(const struct ox_config*); /* NULL: mode or group not supported */
    void (*destroy)(void*);
    void (*write)(void*, uint64_t linear, const void* data, uint32_t n); /* only inside the regions */
    void (*read)(void*, uint64_t linear, void* data, uint32_t n);
    /* Runs one instruction (REP to completion) from *s with the segment registers of the configuration and leaves the
       final state in *s. Reports an exception instead of delivering it. 0, or non-zero if the processor gave up. */
    int (*step)(void*, struct ox_state* s, struct ox_exc* e);
};

const struct ox_api* ox_get_api(void);

#ifdef __cplusplus
}
#endif
