// PageSource: where the content of an absent frame comes from: another host, or a snapshot file. WriteWatch: who has to know before a page that
// is shared gets a new content.
#pragma once

#include <string>

#include "base/types.h"

namespace ramet {

class Memory;

class PageSource {
public:
    virtual ~PageSource() = default;

    /// Puts the frame's content into `into`, by install() or adopt(). It may suspend (switch to another fiber), so its callers hold no
    /// lock and no page across it, and look again afterwards. False: the page can never come.
    virtual bool fetch(Frame frame, Memory& into) = 0;
    /// Why the last fetch that failed did.
    virtual std::string error() const = 0;
};

class WriteWatch {
public:
    virtual ~WriteWatch() = default;

    /// Called before a page that is shared with a relative is written, on the thread that writes; the write waits until it returns. It may
    /// suspend, as fetch() may. Whoever gives its share of the page up meanwhile saves the copy.
    virtual void about_to_write(Frame frame) = 0;
};

}  // namespace ramet
