// Kernel images made by hand, for loaders and machines: each is as small as its format allows.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "machine/configuration.h"

namespace ramet {

using Bytes = std::vector<u8>;

template <class T>
void put(Bytes& bytes, std::size_t at, T value) {
    if (bytes.size() < at + sizeof(T)) bytes.resize(at + sizeof(T));
    store_le(&bytes[at], value);
}

inline constexpr u32 multiboot_load = 0x100000;
inline constexpr u32 multiboot_code = multiboot_load + 32;

/// A multiboot kernel by the a.out kludge: a header, then `code`, entered in 32-bit protected mode.
inline Bytes multiboot_kernel(const Bytes& code, u32 load = multiboot_load) {
    constexpr u32 magic = 0x1badb002, flags = 0x10000;
    Bytes image;
    std::size_t at = 0;
    for (u32 value : {magic, flags, 0 - magic - flags, load, load, u32{0}, u32{0}, load + 32}) {
        put<u32>(image, at, value);
        at += 4;
    }
    image.insert(image.end(), code.begin(), code.end());
    return image;
}

/// An ELF executable with one segment of `code`.
inline Bytes elf_kernel(bool is64, u64 physical, u64 virtual_address, u64 entry, const Bytes& code) {
    Bytes image(is64 ? 64 + 56 : 52 + 32);
    put<u32>(image, 0, 0x464c457f);
    put<u8>(image, 4, is64 ? 2 : 1);
    put<u8>(image, 5, 1);
    put<u16>(image, 16, 2);
    put<u16>(image, 18, is64 ? 62 : 3);
    std::size_t const segment = is64 ? 64 : 52;
    u64 const offset = image.size();
    put<u32>(image, segment, 1);
    if (is64) {
        put<u64>(image, 24, entry);
        put<u64>(image, 32, segment);
        put<u16>(image, 54, 56);
        put<u16>(image, 56, 1);
        put<u64>(image, segment + 8, offset);
        put<u64>(image, segment + 16, virtual_address);
        put<u64>(image, segment + 24, physical);
        put<u64>(image, segment + 32, code.size());
        put<u64>(image, segment + 40, code.size() + 0x1000);
    } else {
        put<u32>(image, 24, static_cast<u32>(entry));
        put<u32>(image, 28, static_cast<u32>(segment));
        put<u16>(image, 42, 32);
        put<u16>(image, 44, 1);
        put<u32>(image, segment + 4, static_cast<u32>(offset));
        put<u32>(image, segment + 8, static_cast<u32>(virtual_address));
        put<u32>(image, segment + 12, static_cast<u32>(physical));
        put<u32>(image, segment + 16, static_cast<u32>(code.size()));
        put<u32>(image, segment + 20, static_cast<u32>(code.size() + 0x1000));
    }
    image.insert(image.end(), code.begin(), code.end());
    return image;
}

/// A bzImage with `code` as its protected-mode part.
inline Bytes bzimage(Bytes code, u32 payload_offset = 0, u32 payload_length = 0) {
    constexpr std::size_t setup_bytes = 2 * 512;
    code.resize(std::max<std::size_t>(code.size(), 0x400));
    Bytes image(setup_bytes);
    put<u8>(image, 0x1f1, 1);
    put<u32>(image, 0x1f4, static_cast<u32>(code.size() / 16));
    put<u16>(image, 0x1fe, 0xaa55);
    put<u16>(image, 0x200, 0x66eb);
    put<u32>(image, 0x202, 0x53726448);
    put<u16>(image, 0x206, 0x020f);
    put<u8>(image, 0x211, 1);
    put<u32>(image, 0x22c, 0x7fffffff);
    put<u32>(image, 0x230, 0x200000);
    put<u16>(image, 0x236, 1);
    put<u32>(image, 0x238, 2047);
    put<u32>(image, 0x248, payload_offset);
    put<u32>(image, 0x24c, payload_length);
    put<u64>(image, 0x258, 0x1000000);
    put<u32>(image, 0x260, 0x100000);
    image.insert(image.end(), code.begin(), code.end());
    return image;
}

inline Images images_of(Bytes kernel, Bytes initrd = {}) {
    Images images{.kernel = {"kernel", "", std::move(kernel)}, .modules = {}};
    if (!initrd.empty()) images.modules.push_back({"initrd", "", std::move(initrd)});
    return images;
}

}  // namespace ramet
