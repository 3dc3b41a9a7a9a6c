// Caches: all that an interpreter remembers beside the machine's state and may forget between any two instructions.
#pragma once

#include "x86/jump_cache.h"
#include "x86/paging_cache.h"
#include "x86/tlb.h"

namespace ramet {

struct Caches {
    Tlb tlb;
    PagingCache paging;
    JumpCache jumps;
};

}  // namespace ramet
