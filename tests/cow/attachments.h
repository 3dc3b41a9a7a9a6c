// An attachment that counts how many of its kind live.
#pragma once

#include "cow/page_pool.h"

namespace ramet {

struct CountedAttachment : PageAttachment {
    CountedAttachment(int& live, int number) : live_(live), number_(number) { ++live_; }
    ~CountedAttachment() override { --live_; }
    CountedAttachment(const CountedAttachment&) = delete;
    CountedAttachment& operator=(const CountedAttachment&) = delete;
    int number() const { return number_; }

private:
    int& live_;
    int number_;
};

}  // namespace ramet
