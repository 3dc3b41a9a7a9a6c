// The words of the control interface (docs/openapi.json): what a family tells and what it is asked for, as JSON. The library is confined to control_json.cpp.
// Tests: tests/remote/control_test.cpp.
#pragma once

#include "remote/family.h"

namespace ramet {

std::string members_json(const std::vector<MemberInfo>& members);
Expected<std::vector<MemberInfo>> parse_members(const std::string& text);
std::string moves_json(const std::vector<MoveInfo>& moves);
Expected<std::vector<MoveInfo>> parse_moves(const std::string& text);
std::string move_json(const MoveOptions& options);
Expected<MoveOptions> parse_move(const std::string& text);

/// {"key": "value"}, and the text of a key; an error if it is not there.
std::string text_json(const std::string& key, const std::string& value);
Expected<std::string> parse_text(const std::string& text, const std::string& key);

/// "METHOD path" of each operation in an OpenAPI description.
Expected<std::vector<std::string>> openapi_operations(const std::string& text);

}  // namespace ramet
