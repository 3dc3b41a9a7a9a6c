/* Entry of every benchmark guest: console on COM1, the workload, its checksum, and the end through the debug exit port. */
#include "bench.h"
static inline void outb(u16 p, u8 v) { __asm__ volatile("outb %0,%1" ::"a"(v), "Nd"(p)); }
static inline void outl(u16 p, u32 v) { __asm__ volatile("outl %0,%1" ::"a"(v), "Nd"(p)); }
static inline u8 inb(u16 p) { u8 v; __asm__ volatile("inb %1,%0" : "=a"(v) : "Nd"(p)); return v; }
static void putc_(char c) { while (!(inb(0x3fd) & 0x20)) ; outb(0x3f8, c); }
void puts_(const char *s) { for (; *s; s++) { if (*s == '\n') putc_('\r'); putc_(*s); } }
void *memset(void *d, int c, uptr n) { u8 *p = d; while (n--) *p++ = c; return d; }
void *memcpy(void *d, const void *s, uptr n) { u8 *p = d; const u8 *q = s; while (n--) *p++ = *q++; return d; }
static void finish(u32 code)
{
    while ((inb(0x3fd) & 0x60) != 0x60) ;
    outl(0xf4, code);
    for (;;) __asm__ volatile("cli; hlt");
}
void die(u32 code) { puts_("\nDEAD "); puthex(code); puts_("\n"); finish(code); }
void puthex(u32 v) { char b[9]; for (int i = 0; i < 8; i++) { u32 d = (v >> (28 - 4 * i)) & 15; b[i] = d < 10 ? '0' + d : 'a' + d - 10; } b[8] = 0; puts_(b); }
void putdec(u32 v) { char b[11]; int i = 10; b[10] = 0; do { b[--i] = '0' + v % 10; v /= 10; } while (v); puts_(b + i); }
void phase(const char *n) { puts_("PHASE "); puts_(n); puts_("\n"); }
void kmain(void)
{
    outb(0x3f9, 0); outb(0x3fb, 0x80); outb(0x3f8, 1); outb(0x3f9, 0);
    outb(0x3fb, 3); outb(0x3fa, 7); outb(0x3fc, 3);
    puts_("\nBEGIN "); puts_(workload_name);
    puts_(sizeof(void *) == 8 ? " 64\n" : " 32\n");
    u32 c = workload();
    puts_("END "); puts_(workload_name); puts_(" checksum "); puthex(c); puts_("\n");
    finish(0x10);
}
