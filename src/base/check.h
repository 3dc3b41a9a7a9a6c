// CHECK stops the process on a broken invariant of ours, never on bad input: nothing from outside may reach it.
// DCHECK is the same in debug builds only, for hot loops.
#pragma once

#include <string_view>

namespace ramet {

[[noreturn]] void check_failed(std::string_view condition, std::string_view message, const char* file, int line);

}  // namespace ramet

#define CHECK(condition, message)                                                    \
    do {                                                                             \
        if (!(condition)) [[unlikely]]                                               \
            ::ramet::check_failed(#condition, message, __FILE__, __LINE__);          \
    } while (false)

#ifdef NDEBUG
#define DCHECK(condition, message) static_cast<void>(0)
#else
#define DCHECK(condition, message) CHECK(condition, message)
#endif
