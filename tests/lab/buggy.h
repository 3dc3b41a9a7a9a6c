// Machines of the guests in tests/guests/buggy.
#pragma once

#include "machine/configuration.h"

namespace ramet {

inline Configuration small_machine(const std::string& kernel) {
    Configuration configuration;
    configuration.kernel = kernel;
    configuration.memory_bytes = u64{4} << 20;
    return configuration;
}
inline Configuration kv_store() { return small_machine(RAMET_KV_STORE); }
inline Configuration event_counter() { return small_machine(RAMET_EVENT_COUNTER); }

}  // namespace ramet
