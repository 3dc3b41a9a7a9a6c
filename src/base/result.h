// Errors from outside (users, files, peers) are values: Expected<T> holds a T or an Error whose text says
// what is wrong, where, and what to do. TRY unwraps it or returns the error to the caller.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "base/check.h"

namespace ramet {

struct Error {
    std::string text;
};

template <class T>
class [[nodiscard]] Expected {
public:
    Expected(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Expected(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    explicit operator bool() const { return state_.index() == 0; }
    T& operator*() & { return get(); }
    T&& operator*() && { return std::move(get()); }
    const T& operator*() const& { return const_cast<Expected*>(this)->get(); }
    T* operator->() { return &get(); }
    const T* operator->() const { return &const_cast<Expected*>(this)->get(); }
    const Error& error() const {
        CHECK(state_.index() == 1, "error() of a value");
        return std::get<1>(state_);
    }

private:
    T& get() {
        CHECK(state_.index() == 0, "value of an error");
        return std::get<0>(state_);
    }
    std::variant<T, Error> state_;
};

/// The result of an action without a value.
struct Done {};

template <class T>
bool try_failed(const Expected<T>& e) {
    return !e;
}
template <class T>
Error try_failure(const Expected<T>& e) {
    return e.error();
}
template <class T>
T try_value(Expected<T>&& e) {
    return *std::move(e);
}

}  // namespace ramet

/// Value of an Expected (or of x86's Result), or return its error from the calling function. The counter keeps a TRY inside a TRY apart.
/// Not behind other members in braces: clang up to 17 leaves those undestroyed when an aggregate is given up half-way.
#define TRY(expression) RAMET_TRY_NAMED(expression, RAMET_JOIN(try_result_, __COUNTER__))
#define RAMET_JOIN(a, b) RAMET_JOIN_EXPANDED(a, b)
#define RAMET_JOIN_EXPANDED(a, b) a##b
#define RAMET_TRY_NAMED(expression, result)                  \
    __extension__({                                          \
        auto result = (expression);                          \
        if (try_failed(result)) return try_failure(result);  \
        try_value(std::move(result));                        \
    })
