// The named values of an enum, found at compile time: a reader of untrusted state accepts only those, and printed state shows
// names instead of numbers. Enumerators are looked for in 0 .. enum_value_max; state enums are small by nature.
// Works by the text a compiler gives for a template argument (GCC and clang): "ramet::Phase::idle" for a named value, a cast
// "(ramet::Phase)7" otherwise.
// Tests: tests/base/state_test.cpp.
#pragma once

#include <array>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/types.h"

namespace ramet {

inline constexpr std::size_t enum_value_max = 63;

namespace detail {

template <auto Value>
constexpr std::string_view spelled() {
    std::string_view text = __PRETTY_FUNCTION__;
    auto const from = text.find("Value = ") + 8;
    text = text.substr(from, text.find_first_of(";]", from) - from);
    if (text[0] == '(' || (text[0] >= '0' && text[0] <= '9')) return {};
    auto const colon = text.rfind(':');
    return colon == std::string_view::npos ? text : text.substr(colon + 1);
}

template <class E, std::size_t... I>
constexpr auto enum_names(std::index_sequence<I...>) {
    return std::array<std::string_view, sizeof...(I)>{spelled<static_cast<E>(I)>()...};
}

template <class E>
inline constexpr auto enum_table = enum_names<E>(std::make_index_sequence<enum_value_max + 1>{});

}  // namespace detail

/// Empty where no enumerator has the value. E needs a fixed underlying type, as in `enum class Phase : u8`.
template <class E>
    requires std::is_enum_v<E>
constexpr std::string_view enum_name(E value) {
    auto const index = static_cast<u64>(static_cast<std::underlying_type_t<E>>(value));
    return index <= enum_value_max ? detail::enum_table<E>[index] : std::string_view{};
}

}  // namespace ramet
