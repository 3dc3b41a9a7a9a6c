// The small vocabulary every layer speaks: fixed-width integers and the strong types that must not be
// mixed. A Position is not a Cycles, a Frame is not a GuestPhys; none converts into another by itself.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace ramet {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i8 = std::int8_t;
using i16 = std::int16_t;
using i32 = std::int32_t;
using i64 = std::int64_t;
__extension__ using u128 = unsigned __int128;
__extension__ using i128 = __int128;

/// A u64 with a meaning. Tag is an empty type that names it; arithmetic stays within one meaning.
template <class Tag>
struct Strong {
    u64 value = 0;

    constexpr Strong() = default;
    constexpr explicit Strong(u64 v) : value(v) {}

    friend constexpr auto operator<=>(Strong, Strong) = default;
    constexpr Strong operator+(u64 n) const { return Strong{value + n}; }
    constexpr Strong operator-(u64 n) const { return Strong{value - n}; }
    constexpr u64 operator-(Strong other) const { return value - other.value; }
    constexpr Strong& operator+=(u64 n) { return value += n, *this; }
};

using Position = Strong<struct PositionTag>;    ///< retired instructions since power-on
using GuestPhys = Strong<struct GuestPhysTag>;  ///< guest-physical byte address
using GuestVirt = Strong<struct GuestVirtTag>;  ///< guest-linear byte address
using Frame = Strong<struct FrameTag>;          ///< guest-physical page number
using Offset = Strong<struct OffsetTag>;        ///< byte offset inside a device's register block

/// Virtual time: CPU cycles since power-on. The largest value means "never".
struct Cycles : Strong<struct CyclesTag> {
    using Strong::Strong;
    constexpr Cycles() = default;
    constexpr Cycles(Strong base) : Strong(base) {}
    static constexpr Cycles never() { return Cycles{~u64{0}}; }
};

inline constexpr u64 page_size = 4096;
inline constexpr unsigned page_shift = 12;

constexpr Frame frame_of(GuestPhys at) { return Frame{at.value >> page_shift}; }
constexpr GuestPhys address_of(Frame frame) { return GuestPhys{frame.value << page_shift}; }

}  // namespace ramet
