#include "machine/configuration.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <span>

#include "base/chars.h"
#include "machine/boot/linux.h"
#include "machine/boot/multiboot.h"

namespace ramet {

namespace {

/// A name and what it stands for.
template <class T>
struct Choice {
    const char* name;
    T value;
};

template <class T, std::size_t N>
Expected<T> choose(const std::string& text, const std::string& where, const Choice<T> (&choices)[N]) {
    std::string expected;
    for (const Choice<T>& choice : choices) {
        if (text == choice.name) return choice.value;
        expected += (expected.empty() ? "\"" : ", \"") + std::string{choice.name} + "\"";
    }
    return Error{where + ": \"" + text + "\" is not known; expected one of " + expected};
}

/// Decimal digits of [at, at + count), or -1.
int digits(const std::string& text, std::size_t at, std::size_t count) {
    int value = 0;
    for (std::size_t i = at; i < at + count; ++i) {
        if (i >= text.size() || text[i] < '0' || text[i] > '9') return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

/// Days from 1970-01-01 to a civil date from 1970 on.
i64 days_since_1970(int year, int month, int day) {
    static constexpr std::array<int, 12> before = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    i64 const leap_base = month > 2 ? year : year - 1;
    auto const leaps = [](i64 y) { return y / 4 - y / 100 + y / 400; };
    return (year - 1970) * i64{365} + leaps(leap_base) - leaps(1969) + before[static_cast<std::size_t>(month - 1)] + day - 1;
}

bool is_date(int year, int month, int day) {
    if (year < 1970 || month < 1 || month > 12 || day < 1) return false;
    bool const leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    static constexpr std::array<int, 12> length = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return day <= length[static_cast<std::size_t>(month - 1)] + (month == 2 && leap ? 1 : 0);
}

Expected<Image> read_image(const std::string& path, const std::string& arguments, const std::string& what) {
    auto bytes = TRY(read_file(path, what));
    return Image{path, arguments, std::move(bytes)};
}

/// "file arguments,file arguments" of a multiboot kernel.
Expected<std::vector<Image>> read_modules(const std::string& list) {
    std::vector<Image> modules;
    for (std::size_t at = 0; at < list.size();) {
        std::size_t const end = std::min(list.find(',', at), list.size());
        std::string const item = list.substr(at, end - at);
        std::size_t const blank = std::min(item.find(' '), item.size());
        std::string const file = item.substr(0, blank);
        if (file.empty()) return Error{"initrd: an empty name in \"" + list + "\""};
        modules.push_back(TRY(read_image(file, blank < item.size() ? item.substr(blank + 1) : "", "module")));
        at = end + 1;
    }
    return modules;
}

}  // namespace

u64 Configuration::free_disk_place() const {
    u64 place = 0;
    while (std::ranges::any_of(disks, [place](const DiskConfiguration& disk) { return disk.place == place; })) ++place;
    return place;
}

Expected<u64> parse_size(const std::string& text, const std::string& where) {
    u64 number = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    std::string const suffix{end, text.data() + text.size()};
    static constexpr std::array<std::pair<const char*, unsigned>, 9> suffixes = {
        {{"", 0}, {"K", 10}, {"k", 10}, {"M", 20}, {"m", 20}, {"G", 30}, {"g", 30}, {"T", 40}, {"t", 40}}};
    if (error == std::errc{})
        for (auto const& [name, shift] : suffixes)
            if (suffix == name && number <= (~u64{0} >> shift)) return number << shift;
    return Error{where + ": \"" + text + "\" is not a size; expected a number with K, M, G or T, as \"512M\""};
}

Expected<i64> parse_date(const std::string& text, const std::string& where) {
    int const year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
    int const hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
    bool const shape = text.size() == 20 && text[4] == '-' && text[7] == '-' && text[10] == 'T' && text[13] == ':' && text[16] == ':' && text[19] == 'Z';
    bool const time = hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60;
    if (!shape || !time || !is_date(year, month, day)) return Error{where + ": \"" + text + "\" is not a date; expected UTC, as 2024-01-01T00:00:00Z"};
    return days_since_1970(year, month, day) * 86'400 + hour * 3600 + minute * 60 + second;
}

Expected<CpuModel> parse_cpu(const std::string& text, const std::string& where) {
    return choose<CpuModel>(text, where, {{"ramet-v1", CpuModel::ramet_v1}, {"ramet-v2", CpuModel::ramet_v2}});
}

Expected<Unpack> parse_unpack(const std::string& text, const std::string& where) {
    return choose<Unpack>(text, where, {{"guest", Unpack::guest}, {"host", Unpack::host}});
}

Expected<Console> parse_console(const std::string& text, const std::string& where) {
    return choose<Console>(text, where, {{"none", Console::none}, {"serial", Console::serial}, {"debug", Console::debug}, {"both", Console::both}});
}

Expected<Done> check_disks(const std::vector<DiskConfiguration>& disks, const std::string& where) {
    for (std::size_t i = 0; i < disks.size(); ++i) {
        const DiskConfiguration& disk = disks[i];
        if (disk.file.empty()) return Error{where + ": missing file; expected the path of a disk image"};
        if (disk.bytes > DiskImage::bytes_max) return Error{where + ": " + disk.file + " is too large; at most 512G are possible"};
        if (disk.place >= Disk::count_max) return Error{where + ": " + disk.file + " in place " + std::to_string(disk.place) + "; there are the places 0 and 1"};
        for (std::size_t k = 0; k < i; ++k)
            if (disks[k].place == disk.place) return Error{where + ": " + disks[k].file + " and " + disk.file + " are both in place " + std::to_string(disk.place)};
    }
    return Done{};
}

Expected<Done> check_configuration(const Configuration& configuration) {
    u64 const bytes = configuration.memory_bytes;
    if (bytes < Configuration::memory_bytes_min || bytes > Configuration::memory_bytes_max)
        return Error{"memory: " + std::to_string(bytes) + " bytes; expected from 2M to 512G"};
    if (bytes % page_size != 0) return Error{"memory: " + std::to_string(bytes) + " bytes; expected a multiple of 4K"};
    if (configuration.kernel.empty()) return Error{"kernel: missing; expected the path of a kernel image"};
    if (configuration.boot == Boot::bios && (!configuration.initrd.empty() || !configuration.append.empty()))
        return Error{"bios: a BIOS takes neither initrd nor append"};
    TRY(check_disks(configuration.disks, "disk"));
    if (configuration.append.find('\0') != std::string::npos) return Error{"append: contains a zero byte"};
    return Done{};
}

Expected<Configuration> read_configuration(const std::string& path) {
    constexpr std::size_t configuration_bytes_max = 1 << 20;
    auto const bytes = TRY(read_file(path, "configuration"));
    if (bytes.size() > configuration_bytes_max) return Error{path + ": " + std::to_string(bytes.size()) + " bytes are too many for a configuration"};
    return parse_configuration({bytes.begin(), bytes.end()}, path);
}

Expected<std::vector<u8>> read_file(const std::string& path, const std::string& what) {
    constexpr u64 file_bytes_max = u64{4} << 30;
    std::ifstream file{path, std::ios::binary | std::ios::ate};
    if (!file) return Error{path + ": cannot read the " + what};
    auto const end = static_cast<std::streamoff>(file.tellg());
    if (end < 0) return Error{path + ": cannot read the " + what + "; expected a regular file"};
    if (static_cast<u64>(end) > file_bytes_max) return Error{path + ": too large for a " + what};
    std::vector<u8> bytes(static_cast<std::size_t>(end));
    file.seekg(0);
    file.read(chars(bytes.data()), end);
    if (!file || file.gcount() != end) return Error{path + ": cannot read the " + what};
    return bytes;
}

Expected<Images> read_images(const Configuration& configuration, ImageHashes* known) {
    TRY(check_configuration(configuration));
    Images images;
    images.kernel = TRY(read_image(configuration.kernel, "", configuration.boot == Boot::bios ? "BIOS" : "kernel"));
    for (const DiskConfiguration& disk : configuration.disks) images.disks.push_back(TRY(DiskImage::open(disk.file, known)));
    if (configuration.initrd.empty()) return images;
    if (is_multiboot(images.kernel.bytes) && !is_bzimage(images.kernel.bytes))
        images.modules = TRY(read_modules(configuration.initrd));
    else
        images.modules.push_back(TRY(read_image(configuration.initrd, "", "initrd")));
    return images;
}

Digest identity_of(const Configuration& configuration, const Images& images) {
    constexpr u64 machine_version = 10;  // of the processor, of the board and of what the loaders do
    DigestStream stream;
    auto const text = [&stream](const std::string& value) {
        stream.add(u64{value.size()});
        stream.add(bytes_of(value));
    };
    stream.add(machine_version);
    stream.add(static_cast<u64>(configuration.cpu));
    stream.add(configuration.memory_bytes);
    text(configuration.append);
    stream.add(static_cast<u64>(configuration.unpack));
    stream.add(static_cast<u64>(configuration.boot));
    stream.add(static_cast<u64>(configuration.rtc));
    stream.add(configuration.seed);
    stream.add(digest_of(images.kernel.bytes));
    stream.add(u64{images.modules.size()});
    for (const Image& module : images.modules) {
        text(module.arguments);
        stream.add(digest_of(module.bytes));
    }
    if (images.disks.empty()) return stream.finish();
    stream.add(u64{images.disks.size()});
    for (std::size_t i = 0; i < images.disks.size(); ++i) {
        stream.add(configuration.disks[i].place);
        stream.add(u64{configuration.disks[i].read_only});
        stream.add(std::span<const u8>{images.disks[i]->sha256().bytes});
    }
    return stream.finish();
}

}  // namespace ramet
