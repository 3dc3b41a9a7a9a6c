// The module libramet-http.so: HTTP by cpp-httplib, which is confined to this file.
#include <thread>

#include <httplib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "remote/http.h"

namespace ramet {

namespace {


class Server final : public HttpServer {
public:
    explicit Server(Http::Handler handler) : handler_(std::move(handler)) {
        server_.set_address_family(AF_UNIX);
        server_.set_payload_max_length(Http::body_bytes_max);
        auto const handle = [this](const httplib::Request& request, httplib::Response& response) { answer(request, response); };
        server_.Get(".*", handle).Post(".*", handle).Delete(".*", handle);
    }
    ~Server() override {
        if (!thread_.joinable()) return;
        server_.stop();
        thread_.join();
    }
    bool start(const std::string& socket) {
        mode_t const before = umask(077);
        bool const bound = server_.bind_to_port(socket, 1);  // a port is asked for and not used
        umask(before);
        if (!bound) return false;
        thread_ = std::thread{[this] { server_.listen_after_bind(); }};
        while (!server_.is_running()) std::this_thread::yield();
        return true;
    }

private:
    void answer(const httplib::Request& from, httplib::Response& to) {
        HttpRequest request{.method = from.method, .path = from.path, .body = from.body};
        for (const auto& [key, value] : from.params) request.parameters.emplace(key, value);
        HttpResponse const response = handler_(request);
        to.status = response.status;
        for (const auto& [key, value] : response.headers) to.set_header(key, value);
        to.set_content(response.body, response.type);
    }

    Http::Handler handler_;
    httplib::Server server_;
    std::thread thread_;
};

class Library final : public Http {
public:
    std::unique_ptr<HttpServer> serve(const std::string& socket, Handler handler) override {
        auto server = std::make_unique<Server>(std::move(handler));
        if (!server->start(socket)) return nullptr;
        return server;
    }
    HttpResponse ask(const std::string& socket, const HttpRequest& request) override {
        httplib::Client client{socket};
        client.set_address_family(AF_UNIX);
        client.set_read_timeout(request.patience_s);
        httplib::Request sent;
        sent.method = request.method;
        sent.path = request.path;
        sent.body = request.body;
        if (!sent.body.empty()) sent.set_header("Content-Type", request.type);
        httplib::Result const result = client.send(sent);
        if (!result) return {.status = 0, .body = httplib::to_string(result.error())};
        HttpResponse response{.status = result->status, .body = result->body};
        for (const auto& [key, value] : result->headers) response.headers.emplace(key, value);
        return response;
    }
};

}  // namespace

extern "C" Http* ramet_http() {
    static Library library;
    return &library;
}

}  // namespace ramet
