// The pages that every start of the program touches, asked for in a few calls instead of in as many faults (docs/decisions/0008).
#pragma once

namespace ramet::cli {

void prefault();

}  // namespace ramet::cli
