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
inline Configuration disk_driver() {
    Configuration configuration = small_machine(RAMET_DISK_DRIVER);
    configuration.disks.push_back({.file = RAMET_DISK_DRIVER, .read_only = false, .place = 0, .bytes = 0});  // the guest itself
    return configuration;
}
inline Configuration event_counter() { return small_machine(RAMET_EVENT_COUNTER); }

}  // namespace ramet
