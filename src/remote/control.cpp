#include "remote/control.h"

#include <algorithm>
#include <filesystem>
#include <cstring>

#include <sys/stat.h>
#include <unistd.h>

#include "base/quantity.h"
#include "remote/control_json.h"
#include "remote/http.h"

namespace ramet {

namespace {

constexpr u64 wait_ms_max = 10'000;
constexpr const char* bytes_type = "application/octet-stream";

/// One call of an operation: on which machine, if the path names one, and with what.
struct Call {
    Family& family;
    std::string machine;
    const HttpRequest& request;
    HttpResponse& response;
};

/// What an operation answers: a body, or an error, which becomes status 409.
using Answer = Expected<std::string>;

struct Route {
    const char* method;
    const char* path;  // as in docs/openapi.json
    Answer (*operation)(const Call&);
};

Answer nothing(Expected<Done> done) {
    TRY(std::move(done));
    return std::string{"{}"};
}

u64 number(const HttpRequest& request, const char* key) {
    auto const text = request.parameters.find(key);
    u64 value = 0;
    for (char const c : text == request.parameters.end() ? std::string{} : text->second)
        if (c >= '0' && c <= '9' && value < (u64{1} << 60)) value = 10 * value + static_cast<u64>(c - '0');
    return value;
}

Answer resume(const Call& call) {
    std::string const how = call.request.body.empty() ? "" : TRY(parse_text(call.request.body, "how"));
    if (how.empty()) return nothing(call.family.resume(call.machine));
    if (how == "take-back") return nothing(call.family.take_back(call.machine));
    if (how == "take-over") return nothing(call.family.take_over(call.machine));
    return Error{"how is \"\", \"take-back\" or \"take-over\", not \"" + how + "\""};
}

Answer console(const Call& call) {
    auto const console = TRY(call.family.console(call.machine));
    auto const piece = console->read(number(call.request, "from"), std::min(number(call.request, "wait_ms"), wait_ms_max) * 1'000'000);
    call.response.headers = {{"Ramet-From", std::to_string(piece.from)}, {"Ramet-Ended", piece.ended ? "1" : "0"}};
    call.response.type = bytes_type;
    return piece.bytes;
}

Answer type(const Call& call) {
    auto const typed = TRY(call.family.console(call.machine))->type(call.request.body);
    if (!typed) return Error{call.machine + " " + typed.error().text};
    call.family.wake();
    return std::string{"{}"};
}

constexpr std::array routes = {
    Route{"GET", "/v1/machines", [](const Call& call) { return Answer{members_json(call.family.members())}; }},
    Route{"GET", "/v1/moves", [](const Call& call) { return Answer{moves_json(call.family.moves())}; }},
    Route{"DELETE", "/v1/machines/{name}", [](const Call& call) { return nothing(call.family.remove(call.machine)); }},
    Route{"POST", "/v1/machines/{name}/pause", [](const Call& call) { return nothing(call.family.pause(call.machine)); }},
    Route{"POST", "/v1/machines/{name}/resume", resume},
    Route{"POST", "/v1/machines/{name}/fork", [](const Call& call) -> Answer { return nothing(call.family.fork(call.machine, TRY(parse_text(call.request.body, "name")))); }},
    Route{"POST", "/v1/machines/{name}/move",
          [](const Call& call) -> Answer { return text_json("number", std::to_string(TRY(call.family.move(call.machine, TRY(parse_move(call.request.body)))))); }},
    Route{"GET", "/v1/machines/{name}/digest", [](const Call& call) -> Answer { return text_json("digest", TRY(call.family.digest(call.machine))); }},
    Route{"GET", "/v1/machines/{name}/console", console},
    Route{"POST", "/v1/machines/{name}/console", type},
};

/// Whether a path is the route's; the machine that it names.
bool matches(std::string_view route, std::string_view path, std::string& machine) {
    constexpr std::string_view place = "{name}";
    auto const at = route.find(place);
    if (at == route.npos) return route == path;
    std::string_view const before = route.substr(0, at), after = route.substr(at + place.size());
    if (path.size() <= before.size() + after.size() || !path.starts_with(before) || !path.ends_with(after)) return false;
    machine = path.substr(before.size(), path.size() - before.size() - after.size());
    return machine.find('/') == machine.npos;
}

HttpResponse answer(Family& family, const HttpRequest& request) {
    for (const Route& route : routes) {
        std::string machine;
        if (request.method != route.method || !matches(route.path, request.path, machine)) continue;
        HttpResponse response;
        Answer const answer = route.operation({family, machine, request, response});
        if (!answer) return {.status = 409, .body = text_json("error", answer.error().text)};
        response.body = *answer;
        return response;
    }
    return {.status = 404, .body = text_json("error", request.method + " " + request.path + " is no operation; docs/openapi.json lists them")};
}

Expected<Http*> http() {
    LoadedHttp const loaded = load_http();
    if (loaded.http == nullptr) return Error{loaded.error};
    return loaded.http;
}

Expected<HttpResponse> ask(const std::string& socket, const HttpRequest& request) {
    HttpResponse response = TRY(http())->ask(socket, request);
    if (response.status == 200) return response;
    if (response.status == 0) return Error{socket + ": the process does not answer (" + response.body + ")"};
    auto const text = parse_text(response.body, "error");
    return Error{text ? *text : socket + ": answered with status " + std::to_string(response.status)};
}

}  // namespace

Expected<std::string> runtime_directory() {
    const char* const xdg = std::getenv("XDG_RUNTIME_DIR");
    std::string const path = xdg != nullptr && *xdg != 0 ? std::string{xdg} + "/ramet" : "/tmp/ramet-" + std::to_string(getuid());
    if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return Error{path + ": cannot be made: " + std::strerror(errno)};
    struct stat status {};
    if (lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) || status.st_uid != getuid() || (status.st_mode & 077) != 0)
        return Error{path + ": has to be a directory of yours that nobody else may enter; remove it or chmod 700 it"};
    return path;
}

std::vector<std::string> ControlServer::operations() {
    std::vector<std::string> found;
    for (const Route& route : routes) found.push_back(std::string{route.method} + " " + route.path);
    return found;
}

Expected<std::unique_ptr<ControlServer>> ControlServer::start(Family& family, const std::string& directory) {
    std::string const path = directory + "/" + std::to_string(getpid()) + ".sock";
    unlink(path.c_str());
    auto server = TRY(http())->serve(path, [&family](const HttpRequest& request) { return answer(family, request); });
    if (!server) return Error{path + ": cannot listen there"};
    return std::unique_ptr<ControlServer>{new ControlServer{std::move(server), path}};
}

ControlServer::ControlServer(std::unique_ptr<HttpServer> server, std::string path) : server_(std::move(server)), path_(std::move(path)) {}

ControlServer::~ControlServer() {
    server_.reset();
    unlink(path_.c_str());
}

Expected<std::vector<ControlClient>> ControlClient::all() {
    std::string const directory = TRY(runtime_directory());
    std::vector<ControlClient> found;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(directory, error))
        if (entry.path().extension() == ".sock") found.emplace_back(entry.path().string());
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.socket_ < b.socket_; });
    std::erase_if(found, [](const ControlClient& client) { return !client.members(); });
    return found;
}

Expected<ControlClient> ControlClient::of(const std::string& machine) {
    std::optional<ControlClient> ended;
    for (const ControlClient& client : TRY(all())) {
        auto const members = client.members();
        if (!members) continue;  // its process has ended meanwhile
        for (const MemberInfo& member : *members) {
            if (member.name != machine) continue;
            if (member.state != "ended" && member.state != "elsewhere") return client;
            ended = client;
        }
    }
    if (ended) return *ended;
    return Error{"there is no machine \"" + machine + "\"; `ramet ps` lists them"};
}

Expected<std::string> ControlClient::get(const std::string& path) const { return TRY(ask(socket_, {.method = "GET", .path = path})).body; }

Expected<std::string> ControlClient::post(const std::string& path, const std::string& body, const char* content) const {
    return TRY(ask(socket_, {.method = "POST", .path = path, .body = body, .type = content})).body;
}

Expected<std::vector<MemberInfo>> ControlClient::members() const { return parse_members(TRY(get("/v1/machines"))); }
Expected<std::vector<MoveInfo>> ControlClient::moves() const { return parse_moves(TRY(get("/v1/moves"))); }

Expected<Done> ControlClient::pause(const std::string& machine) const {
    TRY(post("/v1/machines/" + machine + "/pause", ""));
    return Done{};
}
Expected<Done> ControlClient::resume(const std::string& machine, const std::string& how) const {
    constexpr int as_long_as_it_takes_s = 1'000'000;
    TRY(ask(socket_, {.method = "POST", .path = "/v1/machines/" + machine + "/resume", .body = text_json("how", how), .patience_s = as_long_as_it_takes_s}));
    return Done{};
}
Expected<Done> ControlClient::stop(const std::string& machine) const {
    TRY(ask(socket_, {.method = "DELETE", .path = "/v1/machines/" + machine}));
    return Done{};
}
Expected<Done> ControlClient::fork(const std::string& machine, const std::string& child) const {
    TRY(post("/v1/machines/" + machine + "/fork", text_json("name", child)));
    return Done{};
}
Expected<u64> ControlClient::move(const std::string& machine, const MoveOptions& options) const {
    return parse_count(TRY(parse_text(TRY(post("/v1/machines/" + machine + "/move", move_json(options))), "number")), socket_);
}
Expected<std::string> ControlClient::digest(const std::string& machine) const { return parse_text(TRY(get("/v1/machines/" + machine + "/digest")), "digest"); }

Expected<ConsoleBuffer::Piece> ControlClient::console(const std::string& machine, u64 from, u64 wait_ms) const {
    HttpResponse response =
        TRY(ask(socket_, {.method = "GET", .path = "/v1/machines/" + machine + "/console?from=" + std::to_string(from) + "&wait_ms=" + std::to_string(wait_ms)}));
    ConsoleBuffer::Piece piece;
    piece.from = static_cast<u64>(std::strtoull(response.headers["Ramet-From"].c_str(), nullptr, 10));
    piece.ended = response.headers["Ramet-Ended"] == "1";
    piece.bytes = std::move(response.body);
    return piece;
}

Expected<Done> ControlClient::type(const std::string& machine, const std::string& bytes) const {
    TRY(post("/v1/machines/" + machine + "/console", bytes, bytes_type));
    return Done{};
}

}  // namespace ramet
