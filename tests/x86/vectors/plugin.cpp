// Our processor behind the C interface of plugin.h: what the vectors program and outside scorers drive.
#include "plugin.h"

#include "processor.h"

namespace {

using ramet::u32;
using ramet::u8;
using ramet::vectors::Processor;

constexpr u32 mode_count = 4;

void* create(const ox_config* config) { return config->mode < mode_count ? new Processor(*config) : nullptr; }
void destroy(void* processor) { delete static_cast<Processor*>(processor); }
void write(void* processor, uint64_t linear, const void* data, uint32_t n) {
    static_cast<Processor*>(processor)->write(linear, {static_cast<const u8*>(data), n});
}
void read(void* processor, uint64_t linear, void* data, uint32_t n) {
    static_cast<Processor*>(processor)->read(linear, {static_cast<u8*>(data), n});
}
int step(void* processor, ox_state* state, ox_exc* exception) { return static_cast<Processor*>(processor)->step(*state, *exception) ? 0 : 1; }

constexpr ox_api api = {1, create, destroy, write, read, step};

}  // namespace

extern "C" __attribute__((visibility("default"))) const ox_api* ox_get_api() { return &api; }
