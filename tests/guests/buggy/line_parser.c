// A Linux program, the first process of its guest: parses lines of "name=value;name=value" with %XX escapes in values, and answers with the
// number of pairs. The bug: in a value, an escape that the line's end cuts short after its first digit is looked up in a table of
// which there is none: the program dies by SIGSEGV, which its parent sees and reports as "crashed".
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static void put(const char* text) { (void)!write(1, text, strlen(text)); }

static int digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

static const signed char* volatile completions; // of escapes that end early: was to be filled in

/// Number of pairs, or -1.
static int parse(const char* at) {
    int pairs = 0;
    while (*at) {
        while (*at && *at != '=' && *at != ';') ++at;
        if (*at != '=') return -1;
        for (++at; *at && *at != ';'; ++at) {
            if (*at != '%') continue;
            int const high = digit(at[1]);
            if (high < 0) return -1;
            int const low = at[2] ? digit(at[2]) : completions[high];
            if (low < 0) return -1;
            at += 2;
        }
        ++pairs;
        if (*at == ';') ++at;
    }
    return pairs;
}

static int read_line(char* to, int room) {
    int size = 0;
    char c;
    while (read(0, &c, 1) == 1 && c != '\n')
        if (size < room - 1) to[size++] = c;
    to[size] = 0;
    return size;
}

static void serve(void) {
    static char line[256];
    for (;;) {
        put("? ");
        read_line(line, sizeof line);
        int const pairs = parse(line);
        char text[] = "0 pairs\n";
        if (pairs >= 0) text[0] = (char)(text[0] + pairs % 10);
        put(pairs < 0 ? "error\n" : text);
    }
}

int main(void) {
    mount("dev", "/dev", "devtmpfs", 0, "");
    int const console = open("/dev/ttyS0", O_RDWR);
    for (int fd = 0; fd < 3; ++fd) dup2(console, fd);
    struct termios mode;
    tcgetattr(0, &mode);
    mode.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG);
    mode.c_iflag = 0;
    tcsetattr(0, TCSANOW, &mode);
    for (;;) {
        pid_t const child = fork();
        if (child == 0) serve();
        int status = 0;
        while (waitpid(child, &status, 0) != child) {}
        put("crashed\n");
    }
}
