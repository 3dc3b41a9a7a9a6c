#include "machine/ports.h"

namespace ramet {

TextMatcher::TextMatcher(std::string text) : text_(std::move(text)), border_(text_.size() + 1) {
    std::size_t border = 0;
    for (std::size_t i = 1; i < text_.size(); ++i) {
        while (border > 0 && text_[i] != text_[border]) border = border_[border];
        if (text_[i] == text_[border]) ++border;
        border_[i + 1] = border;
    }
}

bool TextMatcher::feed(u8 byte) {
    if (text_.empty()) return false;
    while (matched_ > 0 && static_cast<u8>(text_[matched_]) != byte) matched_ = border_[matched_];
    if (static_cast<u8>(text_[matched_]) == byte) ++matched_;
    if (matched_ < text_.size()) return false;
    matched_ = border_[matched_];
    return true;
}

}  // namespace ramet
