// What an ATA drive says about itself, and the settings that SET FEATURES changes (ATA/ATAPI-6, 8.15 and 8.46).
// Tests: tests/machine/ata_test.cpp.
#pragma once

#include <span>

#include "machine/devices/ata.h"

namespace ramet::ata {

/// The answer to IDENTIFY DEVICE of the drive in a place.
void put_identity(const AtaDrive& drive, unsigned place, std::span<u8, 512> to);

/// False: the drive has no such feature.
bool set_feature(AtaDrive& drive, u8 feature, u8 value);

}  // namespace ramet::ata
