// ramet: a deterministic, forkable x86 PC. The subcommands are in commands.h.
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/prefault.h"

int main(int argc, char** argv) {
    using namespace ramet::cli;
    prefault();
    CLI::App app{"ramet: a PC in software that you can fork.\nThe same machine and the same inputs give the same bits, on any host."};
    app.name("ramet");
    app.set_version_flag("--version", "ramet " RAMET_VERSION);
    app.require_subcommand(1);
    app.footer("`ramet COMMAND --help` explains a command.");
    int status = done;
    for (AddCommand const add : commands) add(app, status);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? done : bad_usage;
    }
    return status;
}
