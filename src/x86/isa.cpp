#include "x86/isa.h"

namespace ramet::isa {

constinit const std::array<Row, row_count> rows = {{
#define ROW(id, encoding, operands, operation, flags, traits, cost) \
    Row{Id::id, #id, parse_encoding(encoding), parse_operands(operands), #operation, parse_flags(flags), traits, cost},
#define OP ROW
#define SIMD ROW
#define X87 ROW
#define SIZED ROW
#define SPECIAL ROW
#include "x86/isa/all.def"
#undef OP
#undef SIMD
#undef X87
#undef SIZED
#undef SPECIAL
}};

}  // namespace ramet::isa
