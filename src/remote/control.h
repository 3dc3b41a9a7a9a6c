// The control interface of a process that hosts machines: HTTP with JSON over a Unix socket that only its owner may open. docs/openapi.json describes it.
// The client finds the processes of this user by their sockets and the machine by its name.
//
// Threads: the server has its own. Tests: tests/remote/control_test.cpp.
#pragma once

#include <memory>

#include "remote/family.h"

namespace ramet {

/// $XDG_RUNTIME_DIR/ramet, made if need be; only its owner may look into it.
Expected<std::string> runtime_directory();

class HttpServer;

class ControlServer {
public:
    /// The socket is PID.sock in the runtime directory.
    static Expected<std::unique_ptr<ControlServer>> start(Family& family, const std::string& directory);
    ~ControlServer();
    const std::string& path() const { return path_; }
    /// "METHOD path" of each operation that it serves.
    static std::vector<std::string> operations();

private:
    ControlServer(std::unique_ptr<HttpServer> server, std::string path);
    std::unique_ptr<HttpServer> server_;
    std::string path_;
};

class ControlClient {
public:
    explicit ControlClient(std::string socket) : socket_(std::move(socket)) {}
    /// Every process of this user that answers.
    static Expected<std::vector<ControlClient>> all();
    /// The one that hosts a machine.
    static Expected<ControlClient> of(const std::string& machine);

    Expected<std::vector<MemberInfo>> members() const;
    Expected<std::vector<MoveInfo>> moves() const;
    Expected<Done> pause(const std::string& machine) const;
    Expected<Done> resume(const std::string& machine, const std::string& how) const;  ///< "", "take-back", "take-over"
    Expected<Done> stop(const std::string& machine) const;
    Expected<Done> fork(const std::string& machine, const std::string& child) const;
    Expected<u64> move(const std::string& machine, const MoveOptions& options) const;
    Expected<std::string> digest(const std::string& machine) const;
    Expected<ConsoleBuffer::Piece> console(const std::string& machine, u64 from, u64 wait_ms) const;
    Expected<Done> type(const std::string& machine, const std::string& bytes) const;
    const std::string& socket() const { return socket_; }

private:
    Expected<std::string> get(const std::string& path) const;
    Expected<std::string> post(const std::string& path, const std::string& body, const char* type = "application/json") const;

    std::string socket_;
};

}  // namespace ramet
