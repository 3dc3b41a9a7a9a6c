/* What a benchmark guest may use: console, phases, a generator, and memory to work on. */
#ifndef BENCH_H
#define BENCH_H
typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32;
typedef int s32; typedef unsigned long long u64; typedef unsigned long uptr;
void puts_(const char *s);
void puthex(u32 v);
void putdec(u32 v);
void phase(const char *name);           /* prints a marker line on the console */
u32 workload(void);
extern const char workload_name[];
static inline u32 rng(u32 *s) { u32 x = *s; x ^= x << 13; x ^= x >> 17; x ^= x << 5; return *s = x; }
#define ARENA ((u8 *)0x01000000)        /* 16 MiB .. 192 MiB */
#ifndef SCALE
#define SCALE 1                         /* multiplies the work */
#endif
#endif
