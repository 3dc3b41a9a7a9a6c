// Results of a suite in the forms that others read: JUnit XML (as GitHub, GitLab and Jenkins display it; tests/lab/junit.xsd), TAP version 13, and one
// static HTML page without any reference to the network.
// Tests: tests/lab/report_test.cpp.
#pragma once

#include <string>

#include "lab/suite_run.h"

namespace ramet {

std::string junit_xml(const SuiteReport& report);
std::string tap_text(const SuiteReport& report);
std::string html_page(const SuiteReport& report);

/// "1.234567": seconds.
std::string seconds_text(u64 ns);

}  // namespace ramet
