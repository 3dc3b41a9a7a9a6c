// The least: a line on the serial port and an exit value.
// exit: 42
// serial: hello
#include "guest.h"
main:   PRINT "hello"
        EXIT 42
