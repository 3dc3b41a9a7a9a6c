// A key-value store over the serial line, bare metal. One command a line, one answer a line; keys are a to d, values a digit:
//
//     set K V      ok N          begin        ok N
//     del K        ok N          commit       ok N
//     get K        V or none     rollback     ok N
//
// N is how many keys there are. The bug: a rollback undoes what was set since `begin`, but not what was deleted: the undo record of a deletion is
// only kept for keys that were set within the transaction. It shows after four commands: set a 1, begin, del a, rollback.

enum { keys = 4, none = -1 };

static int value[keys] = {none, none, none, none};
static int saved[keys];           // what `rollback` goes back to
static unsigned char dirty[keys]; // has an undo record
static int open;

static void out8(unsigned short port, unsigned char byte) { __asm__ volatile("outb %0, %1" ::"a"(byte), "Nd"(port)); }
static unsigned char in8(unsigned short port) {
    unsigned char byte;
    __asm__ volatile("inb %1, %0" : "=a"(byte) : "Nd"(port));
    return byte;
}

static void put(const char* text) {
    for (; *text; ++text) out8(0x3f8, (unsigned char)*text);
}

static int read_line(char* to, int room) {
    int size = 0;
    for (;;) {
        while (!(in8(0x3fd) & 1)) {}
        char const c = (char)in8(0x3f8);
        if (c == '\n') break;
        if (size < room - 1) to[size++] = c;
    }
    to[size] = 0;
    return size;
}

static int is(const char* line, const char* word) {
    while (*word && *line == *word) ++line, ++word;
    return *word == 0;
}

static void save(int key) {
    if (!open || dirty[key]) return;
    dirty[key] = 1;
    saved[key] = value[key];
}

static void end(void) {
    open = 0;
    for (int key = 0; key < keys; ++key) dirty[key] = 0;
}

static void rollback(void) {
    for (int key = 0; key < keys; ++key)
        if (dirty[key]) value[key] = saved[key];
    end();
}

static void answer_count(void) {
    char text[] = "ok 0\n";
    for (int key = 0; key < keys; ++key) text[3] = (char)(text[3] + (value[key] != none));
    put(text);
}

static void answer(const char* line, int size) {
    int const key = size >= 5 ? line[4] - 'a' : none;
    int const good = key >= 0 && key < keys;
    if (is(line, "set ") && good && size == 7) {
        save(key);
        value[key] = line[6] - '0';
    } else if (is(line, "del ") && good) {
        if (dirty[key]) save(key);
        value[key] = none;
    } else if (is(line, "get ") && good) {
        char text[] = "0\n";
        text[0] = (char)(text[0] + value[key]);
        return put(value[key] == none ? "none\n" : text);
    } else if (is(line, "begin")) {
        end();
        open = 1;
    } else if (is(line, "commit")) {
        end();
    } else if (is(line, "rollback")) {
        rollback();
    } else {
        return put("what?\n");
    }
    answer_count();
}

void kv_main(void) {
    char line[32];
    out8(0x3fb, 0x83); // 115200 baud, 8N1
    out8(0x3f8, 1);
    out8(0x3f9, 0);
    out8(0x3fb, 3);
    out8(0x3fa, 1);    // FIFO
    out8(0x3fc, 3);    // DTR, RTS: the other side may send
    put("ready\n");
    for (;;) answer(line, read_line(line, sizeof line));
}
