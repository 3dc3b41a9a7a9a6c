// The rest of alu.cpp's operations, in a file of their own because each takes seconds to compile.
#include "x86/fast/alu.h"

namespace ramet::fast {

namespace {

constexpr AluBySize and_forms = alu_by_size<And>(), or_forms = alu_by_size<Or>(), xor_forms = alu_by_size<Xor>(), test_forms = alu_by_size<Test>(),
                    adc_forms = alu_by_size<Adc>(), sbb_forms = alu_by_size<Sbb>();

}  // namespace

const AluBySize* alu_logic(std::string_view operation) {
    if (operation == "and_") return &and_forms;
    if (operation == "or_") return &or_forms;
    if (operation == "xor_") return &xor_forms;
    if (operation == "test") return &test_forms;
    if (operation == "adc") return &adc_forms;
    if (operation == "sbb") return &sbb_forms;
    return nullptr;
}

}  // namespace ramet::fast
