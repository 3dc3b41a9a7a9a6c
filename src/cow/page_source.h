// PageSource: where the content of an absent frame comes from: another host, or a snapshot file.
#pragma once

#include <span>

#include "base/types.h"

namespace ramet {

class PageSource {
public:
    virtual ~PageSource() = default;

    /// Fills `to` with the frame's content. The only function below the run loop that may suspend (switch to another fiber), so
    /// its callers hold no lock and no page across it, and look again afterwards. False: the page can never come.
    virtual bool fetch(Frame frame, std::span<u8, page_size> to) = 0;
};

}  // namespace ramet
