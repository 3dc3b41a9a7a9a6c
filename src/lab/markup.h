// Text inside XML and HTML.
#pragma once

#include <string>
#include <string_view>

#include "base/types.h"

namespace ramet {

/// Markup escaped; carriage returns left out; what XML 1.0 cannot carry, or is not ASCII, as `other`.
inline std::string markup(std::string_view text, std::string_view other) {
    std::string made;
    for (char const c : text) {
        u8 const byte = static_cast<u8>(c);
        if (c == '&') made += "&amp;";
        else if (c == '<') made += "&lt;";
        else if (c == '>') made += "&gt;";
        else if (c == '"') made += "&quot;";
        else if (c == '\n' || c == '\t' || (byte >= 0x20 && byte < 0x7f)) made += c;
        else if (c != '\r') made += other;
    }
    return made;
}

}  // namespace ramet
