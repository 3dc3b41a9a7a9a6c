#include "remote/control.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <httplib.h>
#include <thread>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/quantity.h"
#include "remote/control_json.h"

namespace ramet {

namespace {

using Request = httplib::Request;
using Response = httplib::Response;

constexpr std::size_t body_bytes_max = 1 << 20;
constexpr u64 wait_ms_max = 10'000;
constexpr const char* json = "application/json";
constexpr const char* bytes_type = "application/octet-stream";

/// What an operation answers: a body, or an error, which becomes status 409.
using Answer = Expected<std::string>;
using Operation = Answer (*)(Family&, const Request&, Response&);

struct Route {
    const char* method;
    const char* path;     // as in docs/openapi.json
    const char* pattern;  // the same for the library
    Operation operation;
};

std::string machine(const Request& request) { return request.matches[1]; }

Answer nothing(Expected<Done> done) {
    TRY(std::move(done));
    return std::string{"{}"};
}

u64 number(const Request& request, const char* key) {
    std::string const text = request.get_param_value(key);
    u64 value = 0;
    for (char const c : text)
        if (c >= '0' && c <= '9' && value < (u64{1} << 60)) value = 10 * value + static_cast<u64>(c - '0');
    return value;
}

Answer resume(Family& family, const Request& request, Response&) {
    std::string const how = request.body.empty() ? "" : TRY(parse_text(request.body, "how"));
    if (how.empty()) return nothing(family.resume(machine(request)));
    if (how == "take-back") return nothing(family.take_back(machine(request)));
    if (how == "take-over") return nothing(family.take_over(machine(request)));
    return Error{"how is \"\", \"take-back\" or \"take-over\", not \"" + how + "\""};
}

Answer console(Family& family, const Request& request, Response& response) {
    auto const console = TRY(family.console(machine(request)));
    auto const piece = console->read(number(request, "from"), std::min(number(request, "wait_ms"), wait_ms_max) * 1'000'000);
    response.set_header("Ramet-From", std::to_string(piece.from));
    response.set_header("Ramet-Ended", piece.ended ? "1" : "0");
    return piece.bytes;
}

Answer type(Family& family, const Request& request, Response&) {
    if (!TRY(family.console(machine(request)))->type(request.body)) return Error{machine(request) + " does not read its input"};
    family.wake();
    return std::string{"{}"};
}

constexpr std::array routes = {
    Route{"GET", "/v1/machines", "/v1/machines", [](Family& f, const Request&, Response&) { return Answer{members_json(f.members())}; }},
    Route{"GET", "/v1/moves", "/v1/moves", [](Family& f, const Request&, Response&) { return Answer{moves_json(f.moves())}; }},
    Route{"DELETE", "/v1/machines/{name}", "/v1/machines/([^/]+)", [](Family& f, const Request& r, Response&) { return nothing(f.remove(machine(r))); }},
    Route{"POST", "/v1/machines/{name}/pause", "/v1/machines/([^/]+)/pause", [](Family& f, const Request& r, Response&) { return nothing(f.pause(machine(r))); }},
    Route{"POST", "/v1/machines/{name}/resume", "/v1/machines/([^/]+)/resume", resume},
    Route{"POST", "/v1/machines/{name}/fork", "/v1/machines/([^/]+)/fork",
          [](Family& f, const Request& r, Response&) -> Answer { return nothing(f.fork(machine(r), TRY(parse_text(r.body, "name")))); }},
    Route{"POST", "/v1/machines/{name}/move", "/v1/machines/([^/]+)/move",
          [](Family& f, const Request& r, Response&) -> Answer { return text_json("number", std::to_string(TRY(f.move(machine(r), TRY(parse_move(r.body)))))); }},
    Route{"GET", "/v1/machines/{name}/digest", "/v1/machines/([^/]+)/digest",
          [](Family& f, const Request& r, Response&) -> Answer { return text_json("digest", TRY(f.digest(machine(r)))); }},
    Route{"GET", "/v1/machines/{name}/console", "/v1/machines/([^/]+)/console", console},
    Route{"POST", "/v1/machines/{name}/console", "/v1/machines/([^/]+)/console", type},
};

void add_route(httplib::Server& server, Family& family, const Route& route) {
    auto const handle = [&family, &route](const Request& request, Response& response) {
        Answer const answer = route.operation(family, request, response);
        if (!answer) response.status = 409;
        bool const raw = answer && route.operation == console;
        response.set_content(answer ? *answer : text_json("error", answer.error().text), raw ? bytes_type : json);
    };
    std::string_view const method = route.method;
    if (method == "GET") server.Get(route.pattern, handle);
    else if (method == "POST") server.Post(route.pattern, handle);
    else server.Delete(route.pattern, handle);
}

httplib::Client client_for(const std::string& socket) {
    httplib::Client client{socket};
    client.set_address_family(AF_UNIX);
    client.set_read_timeout(60);
    return client;
}

Expected<std::string> body_of(const httplib::Result& result, const std::string& socket) {
    if (!result) return Error{socket + ": the process does not answer (" + httplib::to_string(result.error()) + ")"};
    if (result->status == 200) return result->body;
    auto const text = parse_text(result->body, "error");
    return Error{text ? *text : socket + ": answered with status " + std::to_string(result->status)};
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

struct ControlServer::State {
    httplib::Server server;
    std::thread thread;
};

std::vector<std::string> ControlServer::operations() {
    std::vector<std::string> found;
    for (const Route& route : routes) found.push_back(std::string{route.method} + " " + route.path);
    return found;
}

Expected<std::unique_ptr<ControlServer>> ControlServer::start(Family& family, const std::string& directory) {
    std::string const path = directory + "/" + std::to_string(getpid()) + ".sock";
    unlink(path.c_str());
    auto state = std::make_unique<State>();
    state->server.set_address_family(AF_UNIX);
    state->server.set_payload_max_length(body_bytes_max);
    for (const Route& route : routes) add_route(state->server, family, route);
    mode_t const before = umask(077);
    bool const bound = state->server.bind_to_port(path, 1);  // a port is asked for and not used
    umask(before);
    if (!bound) return Error{path + ": cannot listen there"};
    state->thread = std::thread{[raw = state.get()] { raw->server.listen_after_bind(); }};
    while (!state->server.is_running()) std::this_thread::yield();
    return std::unique_ptr<ControlServer>{new ControlServer{std::move(state), path}};
}

ControlServer::ControlServer(std::unique_ptr<State> state, std::string path) : state_(std::move(state)), path_(std::move(path)) {}

ControlServer::~ControlServer() {
    state_->server.stop();
    state_->thread.join();
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

Expected<std::string> ControlClient::get(const std::string& path) const { return body_of(client_for(socket_).Get(path), socket_); }

Expected<std::string> ControlClient::post(const std::string& path, const std::string& body, const char* content) const {
    return body_of(client_for(socket_).Post(path, body, content), socket_);
}

Expected<std::vector<MemberInfo>> ControlClient::members() const { return parse_members(TRY(get("/v1/machines"))); }
Expected<std::vector<MoveInfo>> ControlClient::moves() const { return parse_moves(TRY(get("/v1/moves"))); }

Expected<Done> ControlClient::pause(const std::string& machine) const {
    TRY(post("/v1/machines/" + machine + "/pause", ""));
    return Done{};
}
Expected<Done> ControlClient::resume(const std::string& machine, const std::string& how) const {
    TRY(post("/v1/machines/" + machine + "/resume", text_json("how", how)));
    return Done{};
}
Expected<Done> ControlClient::stop(const std::string& machine) const {
    TRY(body_of(client_for(socket_).Delete("/v1/machines/" + machine), socket_));
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
    auto const result = client_for(socket_).Get("/v1/machines/" + machine + "/console?from=" + std::to_string(from) + "&wait_ms=" + std::to_string(wait_ms));
    ConsoleBuffer::Piece piece;
    piece.bytes = TRY(body_of(result, socket_));
    piece.from = static_cast<u64>(std::strtoull(result->get_header_value("Ramet-From").c_str(), nullptr, 10));
    piece.ended = result->get_header_value("Ramet-Ended") == "1";
    return piece;
}

Expected<Done> ControlClient::type(const std::string& machine, const std::string& bytes) const {
    TRY(post("/v1/machines/" + machine + "/console", bytes, bytes_type));
    return Done{};
}

}  // namespace ramet
