// HTTP over Unix sockets, as much of it as the control interface needs. What serves and asks is a module (http_module.cpp), which is loaded when it is
// first needed: the libraries that it brings along would more than double the time that every start of the program takes (decision 0010).
// Tests: tests/remote/control_test.cpp.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace ramet {

struct HttpRequest {
    std::string method;
    std::string path;  // of the client's: with its parameters
    std::map<std::string, std::string> parameters = {};
    std::string body = {};
    std::string type = "application/json";
    int patience_s = 60;  // the client's, with the answer
};

struct HttpResponse {
    int status = 200;
    std::string body = {};
    std::string type = "application/json";
    std::map<std::string, std::string> headers = {};
};

/// Serves until it is destroyed, on threads of its own.
class HttpServer {
public:
    virtual ~HttpServer() = default;
};

class Http {
public:
    using Handler = std::function<HttpResponse(const HttpRequest&)>;
    static constexpr std::size_t body_bytes_max = 1 << 20;

    virtual ~Http() = default;
    /// Only the owner may open the socket. nullptr: it cannot listen there.
    virtual std::unique_ptr<HttpServer> serve(const std::string& socket, Handler handler) = 0;
    /// Status 0: nobody answers, and why is the body.
    virtual HttpResponse ask(const std::string& socket, const HttpRequest& request) = 0;
};

/// The module's, or an error that says why it cannot be loaded.
struct LoadedHttp {
    Http* http = nullptr;
    std::string error = {};
};
LoadedHttp load_http();

}  // namespace ramet
