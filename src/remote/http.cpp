#include "remote/http.h"

#include <bit>

#include <dlfcn.h>

namespace ramet {

LoadedHttp load_http() {
    static LoadedHttp const loaded = []() -> LoadedHttp {
        void* const module = dlopen("libramet-http.so", RTLD_NOW | RTLD_LOCAL);
        void* const entry = module == nullptr ? nullptr : dlsym(module, "ramet_http");
        if (entry == nullptr) return {nullptr, std::string{"the part that speaks to other processes cannot be loaded ("} + dlerror() + "); install ramet again"};
        return {std::bit_cast<Http* (*)()>(entry)(), {}};
    }();
    return loaded;
}

}  // namespace ramet
