#include <algorithm>
#include <map>

#include "lab/markup.h"
#include "lab/report.h"

namespace ramet {

namespace {

constexpr unsigned row_height = 26, column_width = 230, box_height = 20, cases_drawn_max = 400, name_shown_max = 30;

constexpr const char* head =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n"
    "<style>\n"
    "body{font:14px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:1200px;padding:0 1rem;color:#1c2430;background:#fff}\n"
    "h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}.sum{color:#5a6675;margin:.3rem 0 0}\n"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #e3e8ee;vertical-align:top}\n"
    "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}code,pre{font:12px/1.4 ui-monospace,monospace}\n"
    "pre{background:#f5f7f9;padding:.6rem;overflow:auto;max-height:24rem;margin:.4rem 0}.ok{color:#11703c}.bad{color:#b3261e;font-weight:600}\n"
    "summary{cursor:pointer}svg{max-width:100%;height:auto}svg text{font:12px system-ui,sans-serif}\n"
    "@media(prefers-color-scheme:dark){body{background:#14181d;color:#dde3ea}th,td{border-color:#2b333d}pre{background:#1d232b}.ok{color:#5fd08f}.bad{color:#ff8a80}svg text{fill:#dde3ea}}\n"
    "</style>\n";

std::string html(std::string_view text) { return markup(text, "\xef\xbf\xbd"); }  // the replacement character

/// A box of the picture: a state, or a case without one.
struct Box {
    std::string name;
    std::string parent;
    bool state = false;
    bool good = true;
    unsigned column = 0, row = 0;
};

/// States and cases, children behind their parents, each on a row of its own.
class Tree {
public:
    explicit Tree(const SuiteReport& report) {
        for (const StateInfo& state : report.states) add({state.name, state.parent, true, good(report, state.name)});
        for (const CaseResult& result : report.results)
            if (result.provides.empty() && drawn_++ < cases_drawn_max) add({result.name, result.state, false, result.passed});
        place("", 0);
    }

    std::string svg() const {
        unsigned width = 0;
        for (const Box& box : placed_) width = std::max(width, (box.column + 1) * column_width);
        std::string text = "<svg role=\"img\" aria-label=\"tree of states and forks\" width=\"" + std::to_string(width) + "\" height=\"" +
                           std::to_string(rows_ * row_height) + "\">\n";
        for (const Box& box : placed_) text += drawing(box);
        return text + "</svg>\n";
    }

private:
    static bool good(const SuiteReport& report, const std::string& state) {
        return std::ranges::all_of(report.results, [&](const CaseResult& result) { return result.provides != state || result.passed; });
    }
    void add(Box box) { children_[box.parent].push_back(std::move(box)); }

    void place(const std::string& parent, unsigned column) {
        auto const found = children_.find(parent);
        if (found == children_.end()) return;
        for (Box& box : found->second) {
            box.column = column;
            box.row = rows_++;
            placed_.push_back(box);
            if (box.state) rows_of_[box.name] = box.row, place(box.name, column + 1);
        }
    }

    std::string drawing(const Box& box) const {
        unsigned const x = box.column * column_width, y = box.row * row_height;
        auto const number = [](unsigned value) { return std::to_string(value); };
        std::string text;
        if (box.column > 0) {
            unsigned const from = rows_of_.at(box.parent) * row_height + box_height, trunk = x - column_width + 12;
            text = "<path d=\"M" + number(trunk) + " " + number(from) + "V" + number(y + box_height / 2) + "H" + number(x) + "\" fill=\"none\" stroke=\"#9aa7b5\"/>";
        }
        std::string const color = !box.good ? "#b3261e" : box.state ? "#2f6fbf" : "#11703c";
        std::string const shown = box.name.size() > name_shown_max ? html(box.name.substr(0, name_shown_max)) + "&hellip;" : html(box.name);
        return text + "<rect x=\"" + number(x) + "\" y=\"" + number(y) + "\" width=\"" + number(column_width - 10) + "\" height=\"" + number(box_height) +
               "\" rx=\"" + (box.state ? "4" : "10") + "\" fill=\"none\" stroke=\"" + color + "\"/><text x=\"" + number(x + 8) + "\" y=\"" + number(y + 14) +
               "\"><title>" + html(box.name) + "</title>" + shown + "</text>\n";
    }

    std::map<std::string, std::vector<Box>> children_;
    std::map<std::string, unsigned> rows_of_;
    std::vector<Box> placed_;
    unsigned rows_ = 0;
    std::size_t drawn_ = 0;
};

std::string row_of(const CaseResult& result) {
    std::string const verdict = result.passed ? "<span class=\"ok\">passed</span>" : "<span class=\"bad\">failed</span>";
    std::string text = "<tr><td>" + verdict + "</td><td>" + html(result.name);
    if (!result.what.empty()) text += "<br><span class=\"bad\">" + html(result.what) + "</span>";
    if (!result.bundle.empty()) text += "<br><code>ramet replay " + html(result.bundle) + "</code>";
    if (!result.console.empty()) text += "<details" + std::string{result.passed ? "" : " open"} + "><summary>console</summary><pre>" + html(result.console) + "</pre></details>";
    return text + "</td><td>" + html(result.state) + "</td><td class=\"n\">" + std::to_string(result.begin.position.value) + "</td><td class=\"n\">" +
           std::to_string(result.end.position.value - result.begin.position.value) + "</td><td class=\"n\">" +
           seconds_text(result.end.cycles - result.begin.cycles) + "</td><td><code>" + (result.digest ? result.digest->hex().substr(0, 16) : "") +
           "</code></td><td class=\"n\">" + seconds_text(result.host_ns) + "</td><td class=\"n\">" + std::to_string(result.own_bytes >> 10) + "</td></tr>\n";
}

}  // namespace

std::string html_page(const SuiteReport& report) {
    std::size_t const failed = report.failed();
    std::string text = std::string{head} + "<title>" + html(report.name) + "</title></head><body>\n<h1>" + html(report.name) + "</h1>\n<p class=\"sum\">" +
                       std::to_string(report.results.size()) + " cases, " + std::to_string(failed) + " failed, " + seconds_text(report.host_ns) +
                       " s of host time</p>\n<h2>States and forks</h2>\n" + Tree{report}.svg() +
                       "<h2>Cases</h2>\n<table><thead><tr><th></th><th>Case</th><th>From</th><th class=\"n\">Position</th><th class=\"n\">Instructions</th>"
                       "<th class=\"n\">Guest s</th><th>Digest</th><th class=\"n\">Host s</th><th class=\"n\">KiB</th></tr></thead><tbody>\n";
    for (const CaseResult& result : report.results) text += row_of(result);
    return text + "</tbody></table>\n</body></html>\n";
}

}  // namespace ramet
