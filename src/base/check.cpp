#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace ramet {

void check_failed(std::string_view condition, std::string_view message, const char* file, int line) {
    std::fprintf(stderr, "ramet: internal error: %.*s\n  broken invariant: %.*s\n  at %s:%d\n", static_cast<int>(message.size()),
                 message.data(), static_cast<int>(condition.size()), condition.data(), file, line);
    std::abort();
}

}  // namespace ramet
