// Bits of the ATA registers (ATA/ATAPI-6, chapter 7), for ata.cpp and ata_commands.cpp.
#pragma once

#include "base/types.h"

namespace ramet::ata {

enum Status : u8 { ERR = 0x01, DRQ = 0x08, DSC = 0x10, DRDY = 0x40, BSY = 0x80 };
enum Error : u8 { ABRT = 0x04, IDNF = 0x10 };
enum Control : u8 { nIEN = 0x02, SRST = 0x04, HOB = 0x80 };
enum Device : u8 { DEV = 0x10, LBA = 0x40 };

}  // namespace ramet::ata
