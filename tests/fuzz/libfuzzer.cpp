// One target as a libFuzzer program; RAMET_FUZZ_TARGET is its function.
#include <cstddef>
#include <cstdint>

#include "targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ramet::fuzz::RAMET_FUZZ_TARGET({data, size});
    return 0;
}
