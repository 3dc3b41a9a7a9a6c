#include "lab/report.h"

#include <unistd.h>

#include "guests.h"

namespace ramet {
namespace {

/// With everything that markup could trip over.
SuiteReport sample() {
    SuiteReport report{.name = "sample", .path = "s.toml", .results = {}, .states = {{"power-on", "", false, ""}, {"warm", "power-on", true, ""}}, .host_ns = 1'234'567'890};
    report.results.push_back({.name = "good <&> \"one\"", .state = "warm", .provides = "", .line = 3, .passed = true});
    report.results.push_back({.name = "bad", .state = "warm", .provides = "", .line = 7});
    report.results[0].name += std::string(40, 'x');
    report.results[1].what = "expected \"a\"]]>\x01\xff, found <b>";
    report.results[1].console = "\x1b[6nline\r\n&amp;";
    report.results[1].bundle = "failures/sample-bad.ramet";
    return report;
}

int shell(const std::string& command) { return ::system(command.c_str()); }
bool installed(const std::string& program) { return shell("command -v " + program + " >/dev/null") == 0; }

std::string output_of_command(const std::string& command) {
    std::FILE* const pipe = ::popen(command.c_str(), "r");
    std::string text;
    for (int c; (c = std::fgetc(pipe)) != EOF;) text += static_cast<char>(c);
    ::pclose(pipe);
    return text;
}

TEST(Report, JUnitIsValid) {
    if (!installed("xmllint")) GTEST_SKIP() << "NOT RUN: xmllint is not installed";
    Directory const directory;
    std::string const text = junit_xml(sample());
    write_file(directory / "out.xml", {text.begin(), text.end()});
    EXPECT_EQ(shell("xmllint --noout --schema " RAMET_SOURCE "/tests/lab/junit.xsd " + (directory / "out.xml")), 0) << text;
    std::string const bad = "<testsuites><testsuite name=\"x\"/></testsuites>";
    write_file(directory / "bad.xml", {bad.begin(), bad.end()});
    EXPECT_NE(shell("xmllint --noout --schema " RAMET_SOURCE "/tests/lab/junit.xsd " + (directory / "bad.xml") + " 2>/dev/null"), 0);
}

TEST(Report, TapCountsAndExplains) {
    EXPECT_EQ(tap_text(sample()),
              "TAP version 13\n1..2\nok 1 - good <&> \"one\"" + std::string(40, 'x') + "\nnot ok 2 - bad\n  ---\n  message: \"expected \\\"a\\\"]]>\x01\xff, found <b>\"\n  at: \"s.toml:7\"\n"
              "  position: 0\n  bundle: \"failures/sample-bad.ramet\"\n  ...\n");
}

TEST(Report, HtmlNamesNothingOnTheNetwork) {
    std::string const text = html_page(sample());
    for (const char* const word : {"http:", "https:", "src=", "href=", "url(", "<script", "@import"}) EXPECT_EQ(text.find(word), std::string::npos) << word;
}

TEST(Report, HtmlShowsInABrowser) {
    if (!installed("chromium")) GTEST_SKIP() << "NOT RUN: chromium is not installed";
    Directory const directory;
    std::string const text = html_page(sample());
    write_file(directory / "report.html", {text.begin(), text.end()});
    std::string const dom = output_of_command("chromium --headless --no-sandbox --disable-gpu --user-data-dir=" + (directory / "profile") + " --dump-dom file://" +
                                              (directory / "report.html") + " 2>/dev/null");
    EXPECT_NE(dom.find("good &lt;&amp;&gt; \"one\""), std::string::npos) << dom;
    EXPECT_NE(dom.find("2 cases, 1 failed, 1.234567 s"), std::string::npos);
    EXPECT_NE(dom.find("good &lt;&amp;&gt; \"one\"xxx"), std::string::npos);
    EXPECT_NE(dom.find("xxx\xe2\x80\xa6</text>"), std::string::npos) << "a long name is cut in the picture";
    EXPECT_NE(dom.find("</svg>"), std::string::npos);
    EXPECT_NE(dom.find("ramet replay failures/sample-bad.ramet"), std::string::npos);
    EXPECT_EQ(dom.find("<b>"), std::string::npos);
}

TEST(Report, SecondsAreExact) {
    EXPECT_EQ(seconds_text(0), "0.000000");
    EXPECT_EQ(seconds_text(61'000'042'999), "61.000042");
}

}  // namespace
}  // namespace ramet
