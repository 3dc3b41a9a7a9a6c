// What executes an instruction: the topic tables, joined in the order of isa/all.def.
#include <vector>

#include "base/check.h"
#include "x86/exec/tables.h"

namespace ramet::exec {

namespace {

std::vector<ExecSet> joined_tables() {
    std::vector<ExecSet> all;
    for (auto const& rows : {integer_rows(), integer_0f_rows(), system_rows(), x87_rows(), mmx_rows(), sse_rows()})
        all.insert(all.end(), rows.begin(), rows.end());
    CHECK(all.size() == isa::row_count, "each row has a dispatch entry");
    return all;
}

}  // namespace

Exec exec_of(const Insn& insn) {
    static const std::vector<ExecSet> all = joined_tables();
    return all[static_cast<std::size_t>(insn.id)][size_slot(insn)];
}

}  // namespace ramet::exec
