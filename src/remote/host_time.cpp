#include "remote/host_time.h"

#include <chrono>

namespace ramet {

u64 host_ns() {
    return static_cast<u64>(std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count());
}

}  // namespace ramet
