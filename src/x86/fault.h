// Fault: an exception that an instruction raised, as a value. Result<T> is a T or a Fault.
#pragma once

#include <utility>

#include "base/result.h"
#include "base/types.h"

namespace ramet {

/// Exception vectors (APM volume 2, table 8-1).
enum class Vector : u8 {
    DE = 0, DB = 1, NMI = 2, BP = 3, OF = 4, BR = 5, UD = 6, NM = 7, DF = 8, TS = 10, NP = 11, SS = 12, GP = 13, PF = 14,
    MF = 16, AC = 17, MC = 18, XM = 19,
};

struct [[nodiscard]] Fault {
    enum class Kind : u8 { none, fault, unsupported };

    Kind kind = Kind::none;
    Vector vector = {};
    bool has_error = false;
    u32 error = 0;

    constexpr bool raised() const { return kind != Kind::none; }
};

inline constexpr Fault no_fault = {};

constexpr Fault raise(Vector vector) { return {Fault::Kind::fault, vector, false, 0}; }
constexpr Fault raise(Vector vector, u32 error) { return {Fault::Kind::fault, vector, true, error}; }

namespace fault {
constexpr Fault de() { return raise(Vector::DE); }
constexpr Fault ud() { return raise(Vector::UD); }
constexpr Fault nm() { return raise(Vector::NM); }
constexpr Fault mf() { return raise(Vector::MF); }
constexpr Fault xm() { return raise(Vector::XM); }
constexpr Fault ts(u32 error) { return raise(Vector::TS, error); }
constexpr Fault np(u32 error) { return raise(Vector::NP, error); }
constexpr Fault ss(u32 error = 0) { return raise(Vector::SS, error); }
constexpr Fault gp(u32 error = 0) { return raise(Vector::GP, error); }
constexpr Fault ac() { return raise(Vector::AC, 0); }
/// Beyond our model: stops the machine with a report.
constexpr Fault unsupported() { return {Fault::Kind::unsupported, {}, false, 0}; }
}  // namespace fault

template <class T>
struct [[nodiscard]] Result {
    T value = {};
    Fault fault = {};

    constexpr Result(T v) : value(v) {}
    constexpr Result(Fault f) : fault(f) {}
};

inline bool try_failed(const Fault& f) { return f.raised(); }
inline Fault try_failure(const Fault& f) { return f; }
inline void try_value(Fault&&) {}
template <class T>
bool try_failed(const Result<T>& r) {
    return r.fault.raised();
}
template <class T>
Fault try_failure(const Result<T>& r) {
    return r.fault;
}
template <class T>
T try_value(Result<T>&& r) {
    return r.value;
}

}  // namespace ramet
