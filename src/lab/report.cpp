#include "lab/report.h"

#include "lab/markup.h"

namespace ramet {

namespace {

std::string xml(std::string_view text) { return markup(text, "?"); }

std::string attribute(const char* name, std::string_view value) { return std::string{" "} + name + "=\"" + xml(value) + "\""; }

}  // namespace

std::string seconds_text(u64 ns) {
    std::string const micros = std::to_string(ns / 1000 % 1'000'000);
    return std::to_string(ns / 1'000'000'000) + "." + std::string(6 - micros.size(), '0') + micros;
}

std::string junit_xml(const SuiteReport& report) {
    std::string const counts = attribute("tests", std::to_string(report.results.size())) + attribute("failures", std::to_string(report.failed())) +
                               attribute("errors", "0") + attribute("time", seconds_text(report.host_ns));
    std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites" + counts + ">\n<testsuite" + attribute("name", report.name) + counts + ">\n";
    for (const CaseResult& result : report.results) {
        text += "<testcase" + attribute("name", result.name) + attribute("classname", report.name) + attribute("file", report.path) +
                attribute("line", std::to_string(result.line)) + attribute("time", seconds_text(result.host_ns));
        if (result.passed) {
            text += "/>\n";
            continue;
        }
        std::string const replay = result.bundle.empty() ? "" : "\nReplay it with: ramet replay " + result.bundle;
        text += ">\n<failure" + attribute("message", result.what) + attribute("type", "failure") + ">" +
                xml(report.path + ":" + std::to_string(result.line) + ": " + result.what + "\n" + moment_text(result.end) + replay) + "</failure>\n<system-out>" +
                xml(result.console) + "</system-out>\n</testcase>\n";
    }
    return text + "</testsuite>\n</testsuites>\n";
}

std::string tap_text(const SuiteReport& report) {
    std::string text = "TAP version 13\n1.." + std::to_string(report.results.size()) + "\n";
    std::size_t number = 0;
    for (const CaseResult& result : report.results) {
        std::string name;
        for (char const c : result.name) name += c == '#' || c == '\n' ? '_' : c;
        text += (result.passed ? "ok " : "not ok ") + std::to_string(++number) + " - " + name + "\n";
        if (result.passed) continue;
        std::string what;
        for (char const c : result.what) what += c == '"' || c == '\\' ? std::string{'\\'} + c : c == '\n' ? "\\n" : std::string{c};
        text += "  ---\n  message: \"" + what + "\"\n  at: \"" + report.path + ":" + std::to_string(result.line) + "\"\n  position: " +
                std::to_string(result.end.position.value) + "\n  bundle: \"" + result.bundle + "\"\n  ...\n";
    }
    return text;
}

}  // namespace ramet
