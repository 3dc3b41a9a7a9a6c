// Exit statuses. A guest's own status through the debug exit port is (value << 1) | 1, always odd, so ours are even.
#pragma once

namespace ramet::cli {

enum ExitStatus : int {
    done = 0,         ///< power off, reset, a condition of --until, or the user left
    bad_usage = 2,    ///< arguments, configuration or files
    triple_fault = 4,
    stuck = 6,        ///< the guest halted and nothing will ever wake it
    timed_out = 8,
    beyond_model = 10,
    out_of_memory = 12,
    not_met = 14,     ///< the guest ended before any condition of --until was met
    diverged = 16,    ///< a run did not repeat, or two runs differ
    case_failed = 18, ///< a case of ramet test failed
};

inline constexpr int debug_exit_status(unsigned value) { return static_cast<int>((value << 1 | 1) & 0xff); }
inline constexpr int signal_status(int signal) { return 128 + signal; }

inline constexpr const char* exit_status_help =
    "Exit status:\n"
    "  odd  the guest wrote a value to the debug exit port F4h: (value << 1) | 1\n"
    "  0    power off, reset, a condition of --until was met, or you left with Ctrl-A x\n"
    "  2    wrong arguments, configuration or files\n"
    "  4    triple fault\n"
    "  6    the guest halted and nothing will ever wake it\n"
    "  8    --timeout\n"
    "  10   the guest did something beyond the model; the report says what\n"
    "  12   the host's memory is used up\n"
    "  14   the guest ended before any condition of --until was met\n"
    "  16   a run did not repeat, or two runs differ\n"
    "  18   a case of ramet test failed\n"
    "  128+n  signal n\n";

}  // namespace ramet::cli
