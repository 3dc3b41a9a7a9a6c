// Entry of kv_store.c: flat protected mode, interrupts off.
#include "../guest.h"
main:   call kv_main
        jmp exit
        .section .note.GNU-stack, "", @progbits
