#include "x86/fast/alu.h"

namespace ramet::fast {

namespace {

constexpr AluBySize add_forms = alu_by_size<Add>(), sub_forms = alu_by_size<Sub>(), cmp_forms = alu_by_size<Cmp>(), mov_forms = alu_by_size<Mov>();

}  // namespace

const AluBySize* alu(std::string_view operation) {
    if (operation == "mov") return &mov_forms;
    if (operation == "add") return &add_forms;
    if (operation == "sub") return &sub_forms;
    if (operation == "cmp") return &cmp_forms;
    return alu_logic(operation);
}

}  // namespace ramet::fast
