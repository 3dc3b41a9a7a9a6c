// Ramet's library: a PC as a value. This is its one public header; `meson install` writes it as a single self-contained file.
//
//     ramet::Configuration configuration;
//     configuration.kernel = "vmlinuz";
//     configuration.append = "console=ttyS0";
//     auto made = ramet::Machine::create(configuration, std::make_shared<ramet::PagePool>());
//     if (!made) return fail(made.error().text);
//     ramet::Machine machine = *std::move(made);
//
//     ramet::BufferPorts ports;                                      // what the guest prints
//     machine.run({.position = ramet::Position{1'000'000}}, ports);  // exactly one million instructions
//     ramet::Machine child = machine.fork();                         // constant time, whatever the memory size
//     child.apply({.bytes = {'l', 's', '\r'}});                      // an input, at the child's present Position
//     child.run({.idle = true}, ports);                              // until it waits for something
//     bool const same = child.digest() == machine.digest();
//
// A Session is a machine with somebody at its console, a State is where scripts brought one; <ramet/test.hpp> builds tests on them.
//
// Machines that come from one another may run on different threads; one machine belongs to one thread at a time. No function throws but for
// lack of host memory outside of guest RAM. docs/determinism.md says what a run may depend on: configuration, images, inputs.
#pragma once

#include "lab/bundle.h"
#include "lab/state.h"
#include "lab/trail.h"
#include "machine/configuration.h"
#include "machine/machine.h"
#include "machine/ports.h"
