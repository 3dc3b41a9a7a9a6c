// State as a plain struct with one field list. Every struct a guest can see has
//
//     static constexpr void fields(auto& self, auto& visit) { visit("name", self.name); … }
//
// and every use of state (hash, save, load, compare, print, schema) is a visitor over that list. A member missing
// from the list would be state that is not copied or compared, so the number of members is counted at compile time
// (how many "converts to anything" initialisers the aggregate accepts) and compared with the number of visits.
//
// A struct that not every machine has may have `bool absent() const`: a digest leaves it out while that is true, so that a machine which lacks it is
// the machine that it was before there was such a thing.
//
// Member types that visitors know: integers, bool, enums, Strong types, std::array of those, and nested structs with fields().
#pragma once

#include <array>
#include <concepts>
#include <type_traits>
#include <utility>

#include "base/types.h"

namespace ramet {

template <class T>
concept HasFields = requires(T& value, void (*visit)(...)) { T::fields(value, visit); };

template <class T>
struct IsArray : std::false_type {};
template <class T, std::size_t N>
struct IsArray<std::array<T, N>> : std::true_type {};

template <class T>
concept StrongType = requires(T t) { t.value; } && std::same_as<decltype(T::value), u64> && sizeof(T) == sizeof(u64);

namespace detail {

struct Anything {
    template <class T>
    constexpr operator T() const;
};

template <std::size_t>
using AnythingAt = Anything;

template <class T, std::size_t... I>
constexpr bool accepts(std::index_sequence<I...>) {
    return requires { T{{AnythingAt<I>{}}...}; } || requires { T{AnythingAt<I>{}...}; };
}

struct Count {
    int n = 0;
    constexpr void operator()(const char*, const auto&) { ++n; }
};

}  // namespace detail

inline constexpr std::size_t member_count_max = 96;

/// Members of an aggregate, counted by how many initialisers it accepts.
template <class T, std::size_t N = 0>
constexpr std::size_t member_count() {
    if constexpr (N < member_count_max && detail::accepts<T>(std::make_index_sequence<N + 1>{}))
        return member_count<T, N + 1>();
    else
        return N;
}

/// Entries of T's field list.
template <class T>
constexpr std::size_t field_count() {
    detail::Count count;
    T value{};
    T::fields(value, count);
    return static_cast<std::size_t>(count.n);
}

/// static_assert(fields_complete<Uart>) beside each state struct.
template <class T>
inline constexpr bool fields_complete = std::is_aggregate_v<T> && member_count<T>() == field_count<T>();

}  // namespace ramet
